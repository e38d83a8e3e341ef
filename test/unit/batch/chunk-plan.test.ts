import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planChunks } from '../../../src/batch/chunk/chunk-plan.ts';
import type { ReencodeProfile } from '../../../src/model/reencode.ts';
import { reencodeProfileSchema } from '../../../src/protocol/reencode.ts';
import { sampleEntry } from '../../support/sample-records.ts';

function profile(gopSegments: number): ReencodeProfile {
  const maxGopSegments = 10;
  return reencodeProfileSchema.parse({
    name: 'test',
    video: { codec: 'avc', height: 720, gopSegments, maxGopSegments },
  });
}

/** Numbers and codecs of a recording, some left out. */
const recordings = fc
  .array(fc.record({ gap: fc.nat({ max: 1 }), codec: fc.constantFrom('a', 'a', 'a', 'b') }), {
    minLength: 1,
    maxLength: 300,
  })
  .map((steps) => {
    let n = 0;
    return steps.map(({ gap, codec }) => {
      n += 1 + (gap === 1 && n % 17 === 0 ? 3 : 0);
      return sampleEntry(n, { codecHash: n % 50 < 40 ? 'a' : codec });
    });
  });

describe('planChunks', () => {
  it('takes every segment once, in order, without hole or change of codec inside a chunk', () => {
    fc.assert(
      fc.property(recordings, fc.integer({ min: 1, max: 6 }), (entries, gop) => {
        const chunks = planChunks(entries, profile(gop));
        expect(chunks.flatMap((chunk) => chunk.segments.map(({ n }) => n))).toEqual(
          entries.map(({ n }) => n),
        );
        for (const [index, chunk] of chunks.entries()) {
          expect(chunk.index).toBe(index);
          const [first] = chunk.segments;
          chunk.segments.forEach(({ n, codecHash }, i) => {
            expect(n).toBe((first?.n ?? 0) + i);
            expect(codecHash).toBe(first?.codecHash);
          });
        }
      }),
    );
  });

  it('gives whole GOPs but before a hole, a change of codec or the end', () => {
    fc.assert(
      fc.property(recordings, fc.integer({ min: 1, max: 6 }), (entries, gop) => {
        const chunks = planChunks(entries, profile(gop));
        chunks.forEach(({ segments }, i) => {
          const [last, next] = [segments.at(-1), chunks[i + 1]?.segments[0]];
          const goesOn = next?.n === (last?.n ?? 0) + 1 && next.codecHash === last?.codecHash;
          if (goesOn) expect(segments.length % gop).toBe(0);
        });
      }),
    );
  });

  it('cuts ten minutes into pieces of about half a minute, none of them a crumb', () => {
    const entries = Array.from({ length: 375 }, (_, n) => sampleEntry(n));
    const lengths = planChunks(entries, profile(2)).map(({ segments }) => segments.length);
    expect(lengths).toHaveLength(19);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(18);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(22);
  });

  it('shows each chunk what follows it, up to a hole or change of codec', () => {
    const entries = Array.from({ length: 63 }, (_, n) => sampleEntry(n < 60 ? n : n + 5));
    const chunks = planChunks(entries, profile(2));
    const leadOuts = chunks.map(({ leadOut = [] }) => leadOut.map(({ n }) => n));
    expect(leadOuts).toEqual([[20, 21, 22, 23, 24], [40, 41, 42, 43, 44], [], []]);
  });

  it('plans nothing for sound alone', () => {
    expect(planChunks([sampleEntry(0)], { video: null })).toEqual([]);
  });
});
