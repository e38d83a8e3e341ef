import { describeContinuity } from '../../src/model/continuity.ts';
import { joinProgress, NO_PROGRESS, type RecordingProgress } from '../../src/model/progress.ts';
import type { Recording } from '../../src/model/recording.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import type { SegmentEntry } from '../../src/model/segment.ts';
import type { RecordingOutcome, StopReason } from '../record.ts';

/** What was made of a recording before this worker. */
export type EarlierWork = {
  readonly segments: number;
  readonly bytes: number;
  /** The last numbers of whoever made it, which may be a second old. */
  readonly progress: RecordingProgress | undefined;
};

/** Counts earlier work; `entries` are those it published. */
export function countEarlier(
  entries: readonly SegmentEntry[],
  progress: RecordingProgress | undefined,
): EarlierWork {
  return { segments: entries.length, bytes: countBytes(entries), progress };
}

/** A run's numbers together with what was made before. */
export function withEarlier(progress: RecordingProgress, earlier: EarlierWork): RecordingProgress {
  const { progress: before } = earlier;
  const joined = before === undefined ? progress : joinProgress(before, progress);
  // What was published is known exactly.
  const segments = progress.segments + earlier.segments;
  const bytes = progress.bytes + earlier.bytes;
  return { ...joined, segments, recordedMs: segments * SEGMENT_MS, bytes };
}

/**
 * The outcome of the whole recording, whichever workers made it: its segments are those of the index, its holes those of the run
 * and the numbers missing between segments.
 */
export function wholeOutcome(
  outcome: RecordingOutcome,
  recording: Recording,
  entries: readonly SegmentEntry[],
): RecordingOutcome {
  const { originMs, leadInMs } = recording;
  const segments = entries.length;
  return {
    ...outcome,
    // The first worker's first picture, not this one's.
    firstFrameMs:
      originMs === null || leadInMs === null ? outcome.firstFrameMs : originMs + leadInMs,
    segments,
    continuity: describeContinuity(entries, outcome.lost),
    lost: [...new Set([...findHoles(entries), ...outcome.lost])].sort((a, b) => a - b),
    progress: {
      ...outcome.progress,
      segments,
      recordedMs: segments * SEGMENT_MS,
      bytes: countBytes(entries),
    },
  };
}

/** The outcome of a recording that ended while no worker recorded it; undefined when nothing was recorded. */
export function stoppedOutcome(
  recording: Recording,
  entries: readonly SegmentEntry[],
  progress: RecordingProgress | undefined,
): RecordingOutcome | undefined {
  const { originMs, leadInMs, stopRequestedAtMs, history } = recording;
  const stopping = history.findLast(({ state }) => state === 'stopping');
  const endedAtMs = stopRequestedAtMs ?? stopping?.atMs ?? history.at(-1)?.atMs;
  if (originMs === null || endedAtMs === undefined || entries.length === 0) return undefined;
  return {
    originMs,
    firstFrameMs: originMs + (leadInMs ?? 0),
    end: { reason: (stopping?.reason ?? 'stop-requested') as StopReason },
    endedAtMs,
    segments: entries.length,
    lost: findHoles(entries),
    continuity: describeContinuity(entries),
    // Without one the worker died before it counted for the first time.
    progress: progress ?? { ...NO_PROGRESS, atMs: endedAtMs },
  };
}

function findHoles(entries: readonly SegmentEntry[]): number[] {
  return entries.flatMap(({ n }, i) => {
    const previous = entries[i - 1]?.n ?? n - 1;
    return Array.from({ length: n - previous - 1 }, (_, k) => previous + 1 + k);
  });
}

function countBytes(entries: readonly SegmentEntry[]): number {
  return entries.reduce((sum, { place }) => sum + place.length, 0);
}
