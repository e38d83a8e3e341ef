import { openSegment, type Unit } from '../../media/mpegts/segment-source.ts';
import type { ChunkSegment } from '../../model/reencode.ts';
import type { ObjectStore } from '../../storage/objects/object-store.ts';
import { readPlace } from '../../storage/objects/read-place.ts';
import { readAhead } from '../../read-ahead.ts';

/** How much happens in a segment, told by what its pictures took to encode. */
export type SegmentActivity = {
  /** Number on the recording's grid. */
  readonly n: number;
  /** Bytes of its key pictures: how much there is to see. */
  readonly keyBytes: number;
  /** Bytes of all others: how much of it moves. */
  readonly interBytes: number;
};

/** Segments looked at ahead of the one that is waited for. */
const READ_AHEAD = 16;

/**
 * How much happens in each of these segments, in their order: by the access-unit index at a segment's end, so that a few KB of each are read. Throws
 * `media-invalid`, `object-not-found`; the signal's reason when aborted.
 */
export async function readActivities(
  store: ObjectStore,
  segments: readonly ChunkSegment[],
  signal?: AbortSignal,
): Promise<readonly SegmentActivity[]> {
  const reads = segments.map(({ n, place }) => async () => {
    signal?.throwIfAborted();
    const { pictures } = await openSegment({
      length: place.length,
      read: (start, end) => readPlace(store, place, { start, end }),
    });
    return toActivity(n, pictures);
  });
  const activities: SegmentActivity[] = [];
  for await (const activity of readAhead(reads, READ_AHEAD)) activities.push(activity);
  return activities;
}

/** Sums a segment's pictures up. */
export function toActivity(
  n: number,
  pictures: readonly Pick<Unit, 'isKey' | 'sampleBytes'>[],
): SegmentActivity {
  let [keyBytes, interBytes] = [0, 0];
  for (const { isKey, sampleBytes } of pictures) {
    if (isKey) keyBytes += sampleBytes;
    else interBytes += sampleBytes;
  }
  return { n, keyBytes, interBytes };
}
