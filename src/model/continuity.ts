import { SEGMENT_MS } from './grid.ts';
import type { SegmentEntry } from './segment.ts';

/** Holes listed in a report; `missingSegments` counts all. */
const MAX_HOLES = 100;

/** A run of segments that could not be made. */
export type Hole = {
  /** Number of the first missing segment, and how many are missing. */
  readonly n: number;
  readonly count: number;
  readonly offsetMs: number;
  readonly durationMs: number;
  /** `owner-changed`: nobody recorded while another worker took over. `not-completed`: capture, disk or upload failed. */
  readonly reason: 'owner-changed' | 'not-completed';
};

/** How unbroken a recording is. */
export type Continuity = {
  readonly holes: readonly Hole[];
  readonly missingSegments: number;
  /** Segments that follow another encoder's: sound has a seam there. */
  readonly encoderChanges: number;
  /** Segments that follow one of the other lane. */
  readonly laneChanges: number;
};

type Made = Pick<SegmentEntry, 'n' | 'lane' | 'epoch'>;

/** Reads a recording's index, in order of number; `lost` are numbers begun at its end and not completed. */
export function describeContinuity(
  entries: readonly Made[],
  lost: readonly number[] = [],
): Continuity {
  const holes: Hole[] = [];
  let encoderChanges = 0;
  let laneChanges = 0;
  entries.forEach((entry, i) => {
    const before = entries[i - 1];
    if (before === undefined) return;
    const isOther = before.epoch !== entry.epoch || before.lane !== entry.lane;
    if (isOther) encoderChanges += 1;
    if (before.lane !== entry.lane) laneChanges += 1;
    const count = entry.n - before.n - 1;
    if (count > 0) {
      holes.push(hole(before.n + 1, count, isOther ? 'owner-changed' : 'not-completed'));
    }
  });
  const end = entries.at(-1)?.n ?? -1;
  for (const n of lost) if (n > end) holes.push(hole(n, 1, 'not-completed'));
  return {
    holes: holes.slice(-MAX_HOLES),
    missingSegments: holes.reduce((sum, { count }) => sum + count, 0),
    encoderChanges,
    laneChanges,
  };
}

function hole(n: number, count: number, reason: Hole['reason']): Hole {
  return { n, count, offsetMs: n * SEGMENT_MS, durationMs: count * SEGMENT_MS, reason };
}
