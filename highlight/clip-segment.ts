import {
  openSegment,
  type SegmentBytes,
  type SegmentSource,
  type Units,
} from '../src/media/mpegts/segment-source.ts';
import type { CutSegment, PictureRef } from './cut-plan.ts';

/** A segment that a clip may be cut from. */
export type ClipSegment = {
  /** Number on the recording's grid. */
  readonly n: number;
  readonly bytes: SegmentBytes;
};

/** Segments asked for at once: reading is waiting, mostly. */
const PARALLEL_READS = 8;

/** The segments of a clip, opened as they come, and their media by the plan's references. */
export class ClipSources {
  readonly #sources = new Map<number, SegmentSource>();
  /** Numbers of segments whose index was found to be untrue: they are parsed. */
  readonly #untrue: ReadonlySet<number>;

  constructor(untrue: ReadonlySet<number> = new Set()) {
    this.#untrue = untrue;
  }

  /** Opens the segments that are not open yet. Throws `media-invalid`; the signal's reason when aborted. */
  async open(
    segments: readonly ClipSegment[],
    signal: AbortSignal | undefined,
  ): Promise<readonly CutSegment[]> {
    const waiting = segments.filter(({ n }) => !this.#sources.has(n));
    const openNext = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        signal?.throwIfAborted();
        const { n, bytes } = next;
        this.#sources.set(n, await openSegment(bytes, { parse: this.#untrue.has(n) }));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_READS }, openNext));
    return segments.map(({ n }) => {
      const { pictures, frames } = this.#get(n);
      return { n, pictures, audioFrames: frames.length };
    });
  }

  /** How many of these segments are known by their own index, and how many had to be parsed. */
  count(segments: readonly ClipSegment[]): { readonly indexed: number; readonly parsed: number } {
    const indexed = segments.filter(({ n }) => this.#get(n).isIndexed).length;
    return { indexed, parsed: segments.length - indexed };
  }

  /** Reads pictures and frames, in the order of the references; each is asked for once. */
  async read(
    pictures: readonly PictureRef[],
    frames: readonly PictureRef[],
  ): Promise<{
    readonly picture: (ref: PictureRef) => Uint8Array;
    readonly frame: (ref: PictureRef) => Uint8Array;
  }> {
    const numbers = new Set([...pictures, ...frames].map(({ n }) => n));
    const read = await Promise.all(
      [...numbers].map(async (n) => {
        const ranges = { pictures: rangeOf(pictures, n), frames: rangeOf(frames, n) };
        const units = await this.#readUnits(n, ranges);
        return [n, { units, ranges }] as const;
      }),
    );
    const byNumber = new Map(read);
    const find = (kind: keyof Units, { n, index }: PictureRef): Uint8Array => {
      const part = byNumber.get(n);
      const unit = part?.units[kind][index - part.ranges[kind].from];
      if (unit !== undefined) return unit;
      throw new Error(`The plan names ${kind} ${index} of segment ${n}, which was not read.`);
    };
    return {
      picture: (ref) => find('pictures', ref),
      frame: (ref) => find('frames', ref),
    };
  }

  async #readUnits(n: number, ranges: Parameters<SegmentSource['read']>[0]): Promise<Units> {
    try {
      return await this.#get(n).read(ranges);
    } catch (error) {
      if ((error as { code?: unknown }).code === 'segment-index-untrue') throw new UntrueIndex(n);
      throw error;
    }
  }

  #get(n: number): SegmentSource {
    const source = this.#sources.get(n);
    if (source === undefined) throw new Error(`Segment ${n} is not open.`);
    return source;
  }
}

/** A segment is not what its index says: the cut must be planned again, with that segment parsed. */
export class UntrueIndex extends Error {
  readonly n: number;

  constructor(n: number) {
    super(`Segment ${n} is not what its access-unit index says.`);
    this.n = n;
  }
}

function rangeOf(refs: readonly PictureRef[], n: number): { from: number; to: number } {
  const indices = refs.filter((ref) => ref.n === n).map(({ index }) => index);
  if (indices.length === 0) return { from: 0, to: 0 };
  return { from: Math.min(...indices), to: Math.max(...indices) + 1 };
}
