import type { ReencodeVideo } from '../../model/reencode.ts';
import type { SegmentActivity } from './segment-activity.ts';

/** Share of the bytes that doubling a GOP must save, or seeking stays as fine as it is. */
const MIN_SAVING = 0.1;

/**
 * The length of a chunk's GOPs, in segments: the profile's, doubled for as long as that saves a tenth of the bytes, up to the profile's most. Where nothing
 * moves key pictures are nearly all there is, so that a slide is not sent again every few seconds; with cameras they are a few percent. Depends on the activity
 * of the chunk's own segments alone, each of which has its key picture in the source.
 */
export function chooseGopSegments(
  activities: readonly SegmentActivity[],
  { gopSegments, maxGopSegments }: Pick<ReencodeVideo, 'gopSegments' | 'maxGopSegments'>,
): number {
  const keyBytes = activities.reduce((sum, activity) => sum + activity.keyBytes, 0);
  const interBytes = activities.reduce((sum, activity) => sum + activity.interBytes, 0);
  let chosen = gopSegments;
  while (
    chosen * 2 <= maxGopSegments &&
    savingOfDoubling(chosen, keyBytes, interBytes) >= MIN_SAVING
  ) {
    chosen *= 2;
  }
  return chosen;
}

/** Share of the bytes that half of the key pictures take, when there is one every `gopSegments`. */
function savingOfDoubling(gopSegments: number, keyBytes: number, interBytes: number): number {
  const spentOnKeys = keyBytes / gopSegments;
  const spent = spentOnKeys + interBytes;
  return spent === 0 ? 0 : spentOnKeys / 2 / spent;
}
