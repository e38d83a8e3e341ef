import { SEGMENTS_OF_A_DAY, verifySynthetic } from '../support/synthetic-day.ts';
import type { Scenario } from './runner.ts';

/** Segments judged at a time: an hour, so that memory stays small. */
const SEGMENTS_PER_RUN = 2250;
/** The clock passes 2^33 inside segment 30 000, 50 000 ticks after its start. */
const PTS_ORIGIN = 2 ** 33 - ((30_000 * 144_000 + 50_000) % 2 ** 33);

/** Writes every segment of 24 h, the wrap of PTS inside one of them, and has the independent checker judge them all. */
export const dayBench: Scenario = {
  about: 'violations in 24 h of segments with the wrap of PTS inside one; takes some minutes',
  run: async () => {
    const violations: number[] = [];
    const msPerSegment: number[] = [];
    for (let first = 0; first < SEGMENTS_OF_A_DAY; first += SEGMENTS_PER_RUN) {
      // Each run begins with the last segment of the one before, so that every seam is judged.
      const from = Math.max(0, first - 1);
      const count = Math.min(SEGMENTS_OF_A_DAY, first + SEGMENTS_PER_RUN) - from;
      const startedAtMs = performance.now();
      const report = await verifySynthetic({ first: from, count, ptsOrigin90k: PTS_ORIGIN });
      violations.push(report.violations.length);
      msPerSegment.push((performance.now() - startedAtMs) / count);
    }
    return [
      {
        name: 'day-violations-per-hour',
        unit: 'violations',
        samples: violations,
        bound: { is: '==', value: 0 },
      },
      { name: 'day-write-and-judge', unit: 'ms/segment', samples: msPerSegment },
    ];
  },
};
