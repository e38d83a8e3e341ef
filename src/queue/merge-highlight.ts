import { segmentAt } from '../model/grid.ts';
import type { Highlight } from '../model/highlight.ts';
import type { Recording } from '../model/recording.ts';
import type { HighlightRepository } from '../storage/records/highlight-repository.ts';
import type { WorkQueue } from './services.ts';

/** When and where a merge is asked for. */
export type MergeContext = {
  readonly recording: Pick<Recording, 'originMs' | 'settings'>;
  /** By the fleet's clock, Unix ms. */
  readonly nowMs: number;
};

/**
 * Grows an open highlight that a new one overlaps, and lets the new one's trigger be known for it; the clip waits for the longer window.
 * Resolves to the highlight as it is then, also when the trigger was heard before; undefined when there is none to grow.
 */
export async function mergeHighlight(
  wish: Highlight,
  context: MergeContext,
  { highlights, queue }: { readonly highlights: HighlightRepository; readonly queue: WorkQueue },
): Promise<Highlight | undefined> {
  const known = await highlights.findByTrigger(wish.recordingId, wish.triggerId);
  if (known !== undefined) return known;
  for (const { id } of await highlights.listByRecording(wish.recordingId)) {
    let hasGrown = false as boolean;
    const grown = await highlights.update(id, (present) => {
      hasGrown = canMerge(present, wish, context);
      return hasGrown ? growHighlight(present, wish) : present;
    });
    if (!hasGrown) continue;
    // After the window: whoever dies in between is heard again, and grows it to the same.
    await highlights.addTrigger(grown, wish.triggerId);
    await queue.postponeHighlight(id, { windowEndMs: grown.window.endMs });
    return grown;
  }
  return undefined;
}

/**
 * Whether a highlight can still become longer: its window is not over, the two meet, the whole is not too long, and its playlist, which
 * may have been served, goes on from its first segment.
 */
export function canMerge(
  present: Highlight,
  wish: Highlight,
  { recording: { originMs, settings }, nowMs }: MergeContext,
): boolean {
  const isOpen = present.state === 'open' && nowMs < present.window.endMs;
  const doMeet =
    wish.window.startMs <= present.window.endMs && wish.window.endMs >= present.window.startMs;
  if (!isOpen || !doMeet) return false;
  const { window, beforeMs, afterMs } = growHighlight(present, wish);
  const isShort = beforeMs + afterMs <= settings.highlights.maxClipMs;
  const firstOf = (startMs: number): number =>
    originMs === null ? 0 : Math.max(0, segmentAt(startMs, originMs));
  return isShort && firstOf(window.startMs) === firstOf(present.window.startMs);
}

/** A highlight that covers another's window too, with everybody's participants and tags. */
export function growHighlight(present: Highlight, wish: Highlight): Highlight {
  const { triggeredAtMs } = present;
  const startMs = Math.min(triggeredAtMs - present.beforeMs, wish.triggeredAtMs - wish.beforeMs);
  const endMs = Math.max(triggeredAtMs + present.afterMs, wish.triggeredAtMs + wish.afterMs);
  return {
    ...present,
    beforeMs: triggeredAtMs - startMs,
    afterMs: endMs - triggeredAtMs,
    window: {
      startMs: Math.min(present.window.startMs, wish.window.startMs),
      endMs: Math.max(present.window.endMs, wish.window.endMs),
    },
    title: present.title ?? wish.title,
    participants: [...new Set([...present.participants, ...wish.participants])],
    tags: [...new Set([...present.tags, ...wish.tags])],
    precision: present.precision === wish.precision ? present.precision : 'frame',
    warnings: [...new Set([...present.warnings, ...wish.warnings])],
  };
}
