import { SEGMENT_MS } from '../../model/grid.ts';
import type { ClipWindow, Highlight } from '../../model/highlight.ts';
import type { SegmentEntry } from '../../model/segment.ts';

/**
 * A highlight pins its segments until it has media of its own; one whose clip failed keeps them, so that it still plays. A pin is nothing
 * apart from the highlight's record, so none can be forgotten or left behind: records are created only while their recording is not being
 * deleted (one script), so once a deletion has begun pins only ever become fewer.
 */
export function isPinning({ state }: Pick<Highlight, 'state'>): boolean {
  return state !== 'completed';
}

/** The entries that highlights still need, in order of number: those of each window, and the last one before it (see `spanOf`). */
export function pinnedEntries(
  entries: readonly SegmentEntry[],
  originMs: number | null,
  highlights: readonly Highlight[],
): readonly SegmentEntry[] {
  if (originMs === null) return [];
  const spans = highlights.filter(isPinning).map((highlight) => spanOf(highlight));
  const needed = spans.flatMap(({ startMs, endMs }) => {
    const first = Math.floor((startMs - originMs) / SEGMENT_MS);
    const last = Math.ceil((endMs - originMs) / SEGMENT_MS) - 1;
    // Its last sound frame leads in, and its last picture is held where the window begins in a hole.
    const before = entries.findLast(({ n }) => n < first);
    const within = entries.filter(({ n }) => n >= first && n <= last);
    return before === undefined ? within : [before, ...within];
  });
  const byNumber = new Map(needed.map((entry) => [entry.n, entry]));
  return [...byNumber.values()].sort((a, b) => a.n - b.n);
}

/** What was asked for and what came of it: the window may yet be cut to the media anew, from what was asked. */
function spanOf({ window, triggeredAtMs, beforeMs, afterMs }: Highlight): ClipWindow {
  return {
    startMs: Math.min(window.startMs, triggeredAtMs - beforeMs),
    endMs: Math.max(window.endMs, triggeredAtMs + afterMs),
  };
}
