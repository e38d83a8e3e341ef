import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { findAccessUnitIndex } from '../../../src/media/mpegts/access-unit-index.ts';
import {
  SEGMENTS_OF_A_DAY,
  verifySynthetic,
  writeSyntheticSegment,
} from '../../support/synthetic-day.ts';

/** Writing and judging a segment takes 5 ms on a free machine. */
vi.setConfig({ testTimeout: 20_000 });

const DEFAULT_ORIGIN = 900_000;
const MODULUS = 2 ** 33;
const SEGMENT_TICKS = 144_000;

describe('a recording of 24 h', () => {
  it.each([0, 26_999, SEGMENTS_OF_A_DAY - 3])('breaks no rule around segment %i', async (first) => {
    const report = await verifySynthetic({ first, count: 3, ptsOrigin90k: DEFAULT_ORIGIN });
    expect(report.violations).toEqual([]);
  });

  it('has the wrap of its 33 bits wherever the origin puts it: on a boundary, or inside a segment', async () => {
    const place = fc.record({
      n: fc.integer({ min: 1, max: SEGMENTS_OF_A_DAY - 2 }),
      into90k: fc.oneof(fc.constantFrom(0, 1, 1919, 3000, 143_999), fc.nat(SEGMENT_TICKS - 1)),
    });
    await fc.assert(
      fc.asyncProperty(place, async ({ n, into90k }) => {
        // The clock passes 2^33 so far into segment n.
        const ptsOrigin90k = mod(-SEGMENT_TICKS * n - into90k);
        const report = await verifySynthetic({ first: n - 1, count: 3, ptsOrigin90k });
        expect(report.violations).toEqual([]);
        const index = findAccessUnitIndex(writeSyntheticSegment(n, ptsOrigin90k));
        expect(index?.pts90k).toBe(mod(-into90k));
      }),
      { numRuns: 25 },
    );
  });

  it('is judged by a checker that knows where the wrap has to be', async () => {
    const report = await verifySynthetic({ first: 0, count: 2, ptsOrigin90k: MODULUS - 100_000 });
    expect(report.violations).toEqual([]);
    const other = await verifySynthetic({ first: 0, count: 2, ptsOrigin90k: MODULUS - 99_999 });
    expect(other.summary).not.toEqual(report.summary);
  });
});

function mod(ticks: number): number {
  return ((ticks % MODULUS) + MODULUS) % MODULUS;
}
