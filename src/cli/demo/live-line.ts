import type { RecordingView } from './platform.ts';

/** One line on stderr that shows how the recording goes; rewritten in place on a terminal, once in five seconds elsewhere. */
export class LiveLine {
  readonly #isTerminal = process.stderr.isTTY;
  #last = '';
  #shownAt = -Infinity;

  show(recording: RecordingView): void {
    const text = describe(recording);
    const now = performance.now();
    const isNews = recording.state !== this.#last.split(' ')[0];
    if (text === this.#last || (!this.#isTerminal && !isNews && now - this.#shownAt < 5_000))
      return;
    process.stderr.write(this.#isTerminal ? `\r\u001b[2K${fit(text)}` : `${text}\n`);
    this.#last = text;
    this.#shownAt = now;
  }

  end(): void {
    if (this.#isTerminal && this.#last !== '') process.stderr.write('\n');
  }
}

/** A line that wraps could not be rewritten in place. A terminal that does not know its width says 0. */
function fit(text: string): string {
  const { columns } = process.stderr;
  return columns > 0 ? text.slice(0, columns - 1) : text;
}

function describe({ state, progress }: RecordingView): string {
  if (progress === null) return state;
  const { recordedMs, segments, fps, framesDropped, cores } = progress;
  const seconds = (recordedMs / 1000).toFixed(1);
  return `${state}  ${seconds} s  ${segments} segments  ${fps} fps  ${framesDropped} dropped  ${cores} cores`;
}
