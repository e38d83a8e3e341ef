import { ChalkreelError } from '../../errors.ts';
import { runFfmpeg, type FfmpegRun } from '../../media/ffmpeg.ts';
import { readLines } from '../../lines.ts';

/** How ffmpeg is run for something that takes long. */
export type LongRun = Pick<FfmpegRun, 'program' | 'niceness' | 'signal' | 'log'>;

/** The pictures of a file or playlist, as its container tells of them. */
export type PictureTimes = {
  readonly width: number;
  readonly height: number;
  /** In order of showing, ms from the first one. */
  readonly timesMs: readonly number[];
  /** Of all coded pictures. */
  readonly bytes: number;
};

/** A day of recording is read within it, from a slow disk too. */
const TIMEOUT_MS = 3_600_000;

/**
 * Reads when the pictures of a file or playlist are shown, and how large they are; nothing is decoded. Errors as `runFfmpeg`;
 * `media-without-picture`.
 */
export async function readPictureTimes(input: string, run: LongRun = {}): Promise<PictureTimes> {
  const reader = new FramecrcReader();
  await runFfmpeg({
    ...run,
    args: [
      ['-copyts', '-i', input],
      // packets as they are, also those ahead of the first key picture
      ['-map', '0:v:0', '-c', 'copy', '-copyinkf'],
      ['-f', 'framecrc', 'pipe:1'],
    ],
    onStdout: reader.take,
    timeoutMs: TIMEOUT_MS,
  });
  const times = reader.finish();
  if (times !== undefined) return times;
  throw new ChalkreelError('media-without-picture', `Expected pictures in ${input}, got none.`);
}

/** A line a packet: stream, DTS, PTS, duration, bytes, checksum. Before them `#tb 0: 1/90000` and `#dimensions 0: 640x360`. */
const PACKET_LINE = /^0, +-?\d+, +(-?\d+), +-?\d+, +(\d+),/;
const HEADER_LINE = /^#(tb|dimensions) 0: (\d+)[/x](\d+)/;

class FramecrcReader {
  readonly #ticks: number[] = [];
  readonly #lines = readLines((line) => this.#read(line));
  #msPerTick = NaN;
  #size = { width: 0, height: 0 };
  #bytes = 0;

  readonly take = (chunk: Uint8Array): void => this.#lines.take(chunk);

  /** Undefined when there was no picture. */
  finish(): PictureTimes | undefined {
    this.#lines.end();
    const ticks = this.#ticks.sort((a, b) => a - b);
    const [first] = ticks;
    if (first === undefined) return undefined;
    const timesMs = ticks.map((pts) => (pts - first) * this.#msPerTick);
    return { ...this.#size, timesMs, bytes: this.#bytes };
  }

  #read(line: string): void {
    const packet = PACKET_LINE.exec(line);
    if (packet !== null) {
      this.#ticks.push(Number(packet[1]));
      this.#bytes += Number(packet[2]);
      return;
    }
    const [, what, one, two] = HEADER_LINE.exec(line) ?? [];
    if (what === 'tb') this.#msPerTick = (1000 * Number(one)) / Number(two);
    if (what === 'dimensions') this.#size = { width: Number(one), height: Number(two) };
  }
}
