import type { SegmentActivity } from './segment-activity.ts';

/** A run of segments that stands for its recording when quality is tried out. */
export type Sample = {
  /** Number of its first segment. */
  readonly first: number;
  readonly segments: number;
  /** `typical` of its part of the recording; `busiest` of all, which is judged by its worst picture alone. */
  readonly kind: 'typical' | 'busiest';
};

/** Of each sample, segments: 6.4 s, long enough for an encoder's look-ahead and for one long GOP. */
export const SAMPLE_SEGMENTS = 4;
/** Share of a recording that is sampled, with these limits, as a number of typical samples. */
const SHARE = 0.03;
const MIN_TYPICAL = 2;
const MAX_TYPICAL = 8;

/**
 * Spreads samples over a recording: it is cut into equal parts, and of each the run with the median of bytes is taken; and of the whole
 * the run with the most, so that the worst picture is not missed. Runs do not overlap and have no hole inside. The same recording gives the same samples.
 * A recording too short for that is one sample. `activities` in order of `n`; empty gives none.
 */
export function pickSamples(activities: readonly SegmentActivity[]): readonly Sample[] {
  const runs = findRuns(activities);
  const typicalCount = Math.min(
    MAX_TYPICAL,
    Math.max(MIN_TYPICAL, Math.round((activities.length * SHARE) / SAMPLE_SEGMENTS)),
  );
  const [busiest] = byBytes(runs).slice(-1);
  if (busiest === undefined || runs.length < typicalCount * 2) return wholes(activities);
  const others = runs.filter((run) => run.first !== busiest.first);
  const typical = splitEvenly(others, typicalCount).flatMap((part) => {
    const median = byBytes(part)[Math.floor(part.length / 2)];
    return median === undefined ? [] : [toSample(median, 'typical')];
  });
  return [...typical, toSample(busiest, 'busiest')];
}

type Run = { readonly first: number; readonly segments: number; readonly bytes: number };

/** Runs of whole samples, one after the other, begun anew behind each hole. */
function findRuns(activities: readonly SegmentActivity[]): readonly Run[] {
  return stretches(activities).flatMap((stretch) => {
    const count = Math.floor(stretch.length / SAMPLE_SEGMENTS);
    return Array.from({ length: count }, (_, i) =>
      toRun(stretch.slice(i * SAMPLE_SEGMENTS, (i + 1) * SAMPLE_SEGMENTS)),
    );
  });
}

/** Segments that follow each other without a hole. */
function stretches(activities: readonly SegmentActivity[]): readonly SegmentActivity[][] {
  const found: SegmentActivity[][] = [];
  for (const activity of activities) {
    const open = found.at(-1);
    if (open !== undefined && open.at(-1)?.n === activity.n - 1) open.push(activity);
    else found.push([activity]);
  }
  return found;
}

function toRun(activities: readonly SegmentActivity[]): Run {
  const bytes = activities.reduce(
    (sum, { keyBytes, interBytes }) => sum + keyBytes + interBytes,
    0,
  );
  return { first: activities[0]?.n ?? 0, segments: activities.length, bytes };
}

/** Ascending; of equal runs the earlier first. */
function byBytes(runs: readonly Run[]): Run[] {
  return [...runs].sort((a, b) => a.bytes - b.bytes || a.first - b.first);
}

function splitEvenly<T>(items: readonly T[], parts: number): readonly T[][] {
  return Array.from({ length: parts }, (_, i) =>
    items.slice(
      Math.floor((i * items.length) / parts),
      Math.floor(((i + 1) * items.length) / parts),
    ),
  );
}

function toSample({ first, segments }: Run, kind: Sample['kind']): Sample {
  return { first, segments, kind };
}

/** Of a short recording: all there is, a sample between each two holes. */
function wholes(activities: readonly SegmentActivity[]): readonly Sample[] {
  return stretches(activities).map((stretch) => toSample(toRun(stretch), 'typical'));
}
