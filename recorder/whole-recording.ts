import type { Recording, RecordingProgress } from '../src/model/recording.ts';
import { SEGMENT_MS } from '../src/model/grid.ts';
import type { SegmentEntry } from '../src/model/segment.ts';
import type { RecordingOutcome } from './record.ts';

/** A run's numbers together with what other workers published of the recording before it. */
export function withEarlier(
  progress: RecordingProgress,
  earlier: readonly SegmentEntry[],
): RecordingProgress {
  const segments = progress.segments + earlier.length;
  const bytes = progress.bytes + countBytes(earlier);
  return { ...progress, segments, recordedMs: segments * SEGMENT_MS, bytes };
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
    progress: progress ?? { ...NOTHING_COUNTED, atMs: stopRequestedAtMs },
  };
}

/** For the unlikely case that the worker died before it counted for the first time. */
const NOTHING_COUNTED: RecordingProgress = {
  atMs: 0,
  segments: 0,
  recordedMs: 0,
  framesCaptured: 0,
  framesEncoded: 0,
  framesRepeated: 0,
  framesDropped: 0,
  emptySlots: 0,
  fps: 0,
  bytes: 0,
  cores: 0,
  memoryMb: 0,
};

function findHoles(entries: readonly SegmentEntry[]): number[] {
  return entries.flatMap(({ n }, i) => {
    const previous = entries[i - 1]?.n ?? n - 1;
    return Array.from({ length: n - previous - 1 }, (_, k) => previous + 1 + k);
  });
}

function countBytes(entries: readonly SegmentEntry[]): number {
  return entries.reduce((sum, { place }) => sum + place.length, 0);
}
