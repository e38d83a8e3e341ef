import { openSegment } from '../../media/mpegts/segment-source.ts';
import { SEGMENT_TICKS } from '../../model/grid.ts';
import type { ChunkSegment } from '../../model/reencode.ts';
import { readAhead } from '../../read-ahead.ts';
import type { ObjectStore } from '../../storage/objects/object-store.ts';
import { readPlace } from '../../storage/objects/read-place.ts';

/** What a segment holds, as far as a re-encode must keep it. */
export type SegmentContent = {
  readonly n: number;
  /** Times of its pictures, ticks from its start, rising. */
  readonly pictures: readonly number[];
  /** Bytes of its AAC frames: 75. */
  readonly frames: readonly number[];
};

/** Segments whose index is asked for at once. */
const READ_AHEAD = 16;

/** Reads from their indexes what segments hold, in order. Throws `object-not-found` where one is gone. */
export async function* readContents(
  store: ObjectStore,
  segments: readonly ChunkSegment[],
): AsyncGenerator<SegmentContent, void> {
  const reads = segments.map(({ n, place }) => async (): Promise<SegmentContent> => {
    const read = (start: number, end: number): Promise<Buffer> =>
      readPlace(store, place, { start, end });
    const { pictures, frames } = await openSegment({ length: place.length, read });
    return {
      n,
      pictures: pictures.map(({ offset90k }) => offset90k),
      frames: frames.map(({ sampleBytes }) => sampleBytes),
    };
  });
  yield* readAhead(reads, READ_AHEAD);
}

/** Times of all pictures of contiguous segments, ticks from the start of number `firstN`. */
export function pictureTimes(contents: readonly SegmentContent[], firstN: number): number[] {
  return contents.flatMap(({ n, pictures }) =>
    pictures.map((offset) => (n - firstN) * SEGMENT_TICKS + offset),
  );
}
