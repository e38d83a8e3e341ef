import { SEGMENT_MS, segmentAt, segmentStartMs } from '../src/model/grid.ts';
import type { ClipWindow, Highlight } from '../src/model/highlight.ts';
import type { SegmentEntry } from '../src/model/segment.ts';

/** Where a recording's media lies, Unix ms. */
export type MediaSpan = ClipWindow;

export type ClampedWindow = {
  /** Undefined when the window and the recording do not meet. */
  readonly window: ClipWindow | undefined;
  /** Sentences for people: what was cut off. */
  readonly warnings: readonly string[];
};

/** The window as it was asked for, whatever there is of it. */
export function askedWindow({ triggeredAtMs, beforeMs, afterMs }: Highlight): ClipWindow {
  return { startMs: triggeredAtMs - beforeMs, endMs: triggeredAtMs + afterMs };
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

/**
 * The whole segments that a window touches, from the first to the last that is there, and what of that lies outside the window: a clip of these is
 * copied, no picture is encoded. Undefined when none is there.
 */
export function wholeSegments(
  window: ClipWindow,
  entries: readonly Pick<SegmentEntry, 'n'>[],
  originMs: number,
): { readonly window: ClipWindow; readonly warnings: readonly string[] } | undefined {
  const [from, to] = [firstSegmentOf(window, originMs), lastSegmentOf(window, originMs)];
  const within = entries.filter(({ n }) => n >= from && n <= to);
  const [first, last] = [within[0], within.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const startMs = segmentStartMs(first.n, originMs);
  const endMs = segmentStartMs(last.n, originMs) + SEGMENT_MS;
  const say = (name: string, ms: number, earlier: string, later: string): string[] =>
    ms === 0 ? [] : [`The clip ${name} ${Math.abs(ms)} ms ${ms < 0 ? earlier : later} the window, with its segment.`]; // prettier-ignore
  return {
    window: { startMs, endMs },
    warnings: [
      ...say('starts', startMs - window.startMs, 'before', 'after'),
      ...say('ends', endMs - window.endMs, 'before', 'after'),
    ],
  };
}

/** Number of the segment that holds the window's first millisecond. */
export function firstSegmentOf(window: ClipWindow, originMs: number): number {
  return segmentAt(window.startMs, originMs);
}

/** Number of the segment that holds the window's last millisecond. */
export function lastSegmentOf(window: ClipWindow, originMs: number): number {
  return segmentAt(Math.ceil(window.endMs) - 1, originMs);
}

/**
 * The entries a cut needs, in order: those that overlap the window and the last one before it, whose last sound frame leads in and
 * whose last picture is held where the window starts in a hole.
 */
export function selectSegments(
  entries: readonly SegmentEntry[],
  { window, originMs }: { window: ClipWindow; originMs: number },
): readonly SegmentEntry[] {
  const first = firstSegmentOf(window, originMs);
  const last = lastSegmentOf(window, originMs);
  const before = entries.findLast((entry) => entry.n < first);
  const within = entries.filter((entry) => entry.n >= first && entry.n <= last);
  return before === undefined ? within : [before, ...within];
}
