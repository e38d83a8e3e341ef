import { SEGMENT_MS } from '../src/model/grid.ts';
import type { ClipWindow } from '../src/model/highlight.ts';
import type { SegmentEntry } from '../src/model/segment.ts';

/** Where a recording's media lies, Unix ms. */
export type MediaSpan = ClipWindow;

export type ClampedWindow = {
  /** Undefined when the window and the recording do not meet. */
  readonly window: ClipWindow | undefined;
  /** Sentences for people: what was cut off. */
  readonly warnings: readonly string[];
};

/** From the first picture (after the lead-in) to the end of the last segment; undefined while there is none. */
export function findMediaSpan(
  entries: readonly SegmentEntry[],
  { originMs, leadInMs }: { originMs: number; leadInMs: number },
): MediaSpan | undefined {
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  return {
    startMs: Math.max(originMs + first.n * SEGMENT_MS, originMs + Math.ceil(leadInMs)),
    endMs: originMs + (last.n + 1) * SEGMENT_MS,
  };
}

/** Clamps a window to the media there is, in whole ms, and says what was cut off. */
export function clampWindow(asked: ClipWindow, media: MediaSpan): ClampedWindow {
  const startMs = Math.max(Math.floor(asked.startMs), media.startMs);
  const endMs = Math.min(Math.ceil(asked.endMs), media.endMs);
  if (endMs <= startMs) return { window: undefined, warnings: [] };
  const warnings: string[] = [];
  if (startMs > asked.startMs) {
    const missing = Math.round(startMs - asked.startMs);
    warnings.push(`The recording starts ${missing} ms after the window: the clip starts with it.`);
  }
  if (endMs < asked.endMs) {
    const missing = Math.round(asked.endMs - endMs);
    warnings.push(`The recording ends ${missing} ms before the window: the clip ends with it.`);
  }
  return { window: { startMs, endMs }, warnings };
}

/** Number of the segment that holds the window's last millisecond. */
export function lastSegmentOf(window: ClipWindow, originMs: number): number {
  return Math.floor((Math.ceil(window.endMs) - 1 - originMs) / SEGMENT_MS);
}

/**
 * The entries a cut needs, in order: those that overlap the window and the last one before it, whose last sound frame leads in and
 * whose last picture is held where the window starts in a hole.
 */
export function selectSegments(
  entries: readonly SegmentEntry[],
  { window, originMs }: { window: ClipWindow; originMs: number },
): readonly SegmentEntry[] {
  const first = Math.floor((window.startMs - originMs) / SEGMENT_MS);
  const last = lastSegmentOf(window, originMs);
  const before = entries.findLast((entry) => entry.n < first);
  const within = entries.filter((entry) => entry.n >= first && entry.n <= last);
  return before === undefined ? within : [before, ...within];
}
