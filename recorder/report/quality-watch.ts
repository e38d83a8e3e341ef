import type { Closable } from '../../src/lifecycle.ts';
import type { RecordingProgress } from '../../src/model/progress.ts';
import {
  SpanList,
  SpanWatch,
  subtractRanges,
  type FrozenCause,
  type SpanKind,
  type TimeRange,
} from '../../src/model/spans.ts';

/** How often a beacon that may have fallen silent is looked at, ms. */
const CHECK_MS = 500;

export type QualitySpans = Pick<RecordingProgress, SpanKind>;
type OpenRange = { readonly startMs: number; readonly cause?: FrozenCause };

/**
 * Keeps a recording's black, still, frozen and silent spans: the recorder tab tells of what it sees and hears, the page's
 * heartbeat of whether it lives. A picture that stands because its page or video is frozen is not still.
 */
export class QualityWatch implements Closable {
  readonly #nowMs: () => number;
  readonly #lists = {
    black: new SpanList(),
    still: new SpanList(),
    frozen: new SpanList(),
    silent: new SpanList(),
  };
  readonly #open: Record<SpanKind, OpenRange[]> = { black: [], still: [], frozen: [], silent: [] };
  readonly #page = this.#frozenWatch('page');
  readonly #source = this.#frozenWatch('source');
  #timer: NodeJS.Timeout | undefined;
  #originMs: number | undefined;
  /** Since when the page's beats have come without a break: nobody looked at its videos before. */
  #beatsSinceMs = 0;
  #lastBeatMs = 0;
  #standingMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Recording begins at `fromMs`: the beacon counts from here on. Spans are given from `originMs`. All Unix ms. */
  begin(originMs: number, fromMs: number): void {
    this.#originMs = originMs;
    this.#beatsSinceMs = fromMs;
    this.#lastBeatMs = fromMs;
    this.#page.begin(fromMs);
    this.#timer ??= setInterval(() => {
      this.#page.advance(this.#nowMs());
    }, CHECK_MS);
  }

  /** The page's main thread runs, and its videos have shown nothing new for this long. */
  beat(standingMs: number): void {
    const nowMs = this.#nowMs();
    if (this.#originMs === undefined) return;
    this.#page.advance(nowMs);
    if (this.#isFrozen('page')) {
      this.#beatsSinceMs = nowMs;
      this.#source.stop(this.#lastBeatMs);
    }
    this.#lastBeatMs = nowMs;
    this.#page.sign(nowMs);
    // While it only grows, it is the same standing picture, however unevenly the beats come.
    if (standingMs === 0 || standingMs < this.#standingMs) {
      this.#source.sign(Math.max(this.#beatsSinceMs, nowMs - standingMs));
    }
    this.#source.begin(nowMs);
    this.#standingMs = standingMs;
    this.#source.advance(nowMs);
  }

  /** A span that began (`endMs` null) or ended in the recorded picture or sound, Unix ms. */
  take(kind: SpanKind, startMs: number, endMs: number | null): void {
    if (endMs === null) this.#begin(kind, startMs);
    else this.#end(kind, startMs, endMs);
  }

  /** All spans up to `untilMs`, Unix ms; none before recording began. */
  read(untilMs: number): QualitySpans {
    const originMs = this.#originMs ?? untilMs;
    const open = (kind: SpanKind): (TimeRange & OpenRange)[] =>
      this.#open[kind]
        .filter(({ startMs }) => startMs < untilMs)
        .flatMap((range) =>
          kind === 'still'
            ? subtractRanges({ ...range, endMs: untilMs }, this.#frozenRanges(untilMs))
            : { ...range, endMs: untilMs },
        );
    return {
      black: this.#lists.black.summary(originMs, open('black')),
      still: this.#lists.still.summary(originMs, open('still')),
      frozen: this.#lists.frozen.summary(originMs, open('frozen')),
      silent: this.#lists.silent.summary(originMs, open('silent')),
    };
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    return Promise.resolve();
  }

  #frozenWatch(cause: FrozenCause): SpanWatch {
    return new SpanWatch({
      onBegun: (startMs) => this.#begin('frozen', startMs, cause),
      onEnded: (startMs, endMs) => this.#end('frozen', startMs, endMs, cause),
    });
  }

  #begin(kind: SpanKind, startMs: number, cause?: FrozenCause): void {
    const others = this.#open[kind].filter((range) => range.cause !== cause);
    this.#open[kind] = [...others, cause === undefined ? { startMs } : { startMs, cause }];
  }

  #end(kind: SpanKind, startMs: number, endMs: number, cause?: FrozenCause): void {
    this.#open[kind] = this.#open[kind].filter((range) => range.cause !== cause);
    const range = { startMs, endMs };
    const ranges = kind === 'still' ? subtractRanges(range, this.#frozenRanges(endMs)) : [range];
    for (const piece of ranges) this.#lists[kind].add(piece, cause);
  }

  #isFrozen(cause: FrozenCause): boolean {
    return this.#open.frozen.some((range) => range.cause === cause);
  }

  #frozenRanges(untilMs: number): TimeRange[] {
    const open = this.#open.frozen.map(({ startMs }) => ({ startMs, endMs: untilMs }));
    return [...this.#lists.frozen.latest, ...open];
  }
}
