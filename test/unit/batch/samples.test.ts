import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pickSamples, SAMPLE_SEGMENTS, type Sample } from '../../../src/batch/settings/samples.ts';
import type { SegmentActivity } from '../../../src/batch/settings/segment-activity.ts';

/** A recording of so many segments, as busy as `bytesOf` says. */
function lesson(segments: number, bytesOf: (n: number) => number): SegmentActivity[] {
  return Array.from({ length: segments }, (_, n) => ({
    n,
    keyBytes: 50_000,
    interBytes: bytesOf(n),
  }));
}

function numbersOf({ first, segments }: Sample): number[] {
  return Array.from({ length: segments }, (_, i) => first + i);
}

describe('samples of a recording', () => {
  it('are spread over it, and hold what is busiest', () => {
    const samples = pickSamples(lesson(375, (n) => (n === 201 ? 900_000 : (n * 7919) % 1000)));
    const typical = samples.filter(({ kind }) => kind === 'typical');
    expect(typical).toHaveLength(3);
    for (const [part, { first }] of typical.entries()) {
      // Each in its own third; borders move by a run where the busiest is left out.
      expect(first).toBeGreaterThanOrEqual((part * 375) / 3 - SAMPLE_SEGMENTS);
      expect(first).toBeLessThan(((part + 1) * 375) / 3 + SAMPLE_SEGMENTS);
    }
    const busiest = samples.filter(({ kind }) => kind === 'busiest');
    expect(busiest.flatMap(numbersOf)).toContain(201);
  });

  it('are typical of their part: neither its stillest nor its busiest', () => {
    const samples = pickSamples(lesson(400, (n) => Math.floor(n / SAMPLE_SEGMENTS) * 100));
    const [first] = samples;
    // A third of 100 runs whose bytes rise: the median is in its middle.
    expect(first?.first).toBeGreaterThan(10 * SAMPLE_SEGMENTS);
    expect(first?.first).toBeLessThan(23 * SAMPLE_SEGMENTS);
  });

  it('are all there is of a short recording', () => {
    const [only, ...more] = pickSamples(lesson(5, () => 100));
    expect(only).toEqual({ first: 0, segments: 5, kind: 'typical' });
    expect(more).toEqual([]);
    expect(pickSamples([])).toEqual([]);
  });

  it('never overlap, never hold a hole, are the same each time', () => {
    const recordings = fc
      .array(fc.record({ isThere: fc.boolean(), interBytes: fc.nat(1_000_000) }), {
        maxLength: 300,
      })
      .map((all) =>
        all.flatMap(({ isThere, interBytes }, n) =>
          isThere || n % 3 > 0 ? [{ n, keyBytes: 1000, interBytes }] : [],
        ),
      );
    fc.assert(
      fc.property(recordings, (activities) => {
        const samples = pickSamples(activities);
        const numbers = samples.flatMap(numbersOf);
        const there = new Set(activities.map(({ n }) => n));
        expect(new Set(numbers).size).toBe(numbers.length);
        expect(numbers.every((n) => there.has(n))).toBe(true);
        expect(samples.length > 0).toBe(activities.length > 0);
        expect(samples.some(({ kind }) => kind === 'typical')).toBe(activities.length > 0);
        expect(pickSamples(activities)).toEqual(samples);
      }),
    );
  });
});
