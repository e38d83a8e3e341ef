import { describeContinuity } from '../src/model/continuity.ts';
import { joinProgress, NO_PROGRESS, type RecordingProgress } from '../src/model/progress.ts';
import type { Recording } from '../src/model/recording.ts';
import { SEGMENT_MS } from '../src/model/grid.ts';
import type { SegmentEntry } from '../src/model/segment.ts';
import type { RecordingOutcome } from './record.ts';

/** What other workers made of a recording before this run. */
export type EarlierWork = {
  readonly entries: readonly SegmentEntry[];
  /** Their last numbers, which may be a second old. */
  readonly progress: RecordingProgress | undefined;
};

/** A run's numbers together with those of the workers before it. */
export function withEarlier(
  progress: RecordingProgress,
  { entries, progress: before }: EarlierWork,
): RecordingProgress {
  const joined = before === undefined ? progress : joinProgress(before, progress);
  // What was published is known exactly.
  const segments = progress.segments + entries.length;
  const bytes = progress.bytes + countBytes(entries);
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

/** The outcome of a recording that was stopped while no worker recorded it; undefined when nothing was recorded. */
export function stoppedOutcome(
  recording: Recording,
  entries: readonly SegmentEntry[],
  progress: RecordingProgress | undefined,
): RecordingOutcome | undefined {
  const { originMs, leadInMs, stopRequestedAtMs } = recording;
  if (originMs === null || stopRequestedAtMs === null || entries.length === 0) return undefined;
  return {
    originMs,
    firstFrameMs: originMs + (leadInMs ?? 0),
    end: { reason: 'stop-requested' },
    endedAtMs: stopRequestedAtMs,
    segments: entries.length,
    lost: findHoles(entries),
    continuity: describeContinuity(entries),
    // Without one the worker died before it counted for the first time.
    progress: progress ?? { ...NO_PROGRESS, atMs: stopRequestedAtMs },
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
