import { describe, expect, it } from 'vitest';
import { chooseGopSegments } from '../../../src/batch/settings/gop.ts';
import { toActivity } from '../../../src/batch/settings/segment-activity.ts';

const VIDEO = { gopSegments: 1, maxGopSegments: 4 };

/** Segments whose key picture takes 50 kB, and all others together so many. */
function segments(...interBytes: readonly number[]) {
  return interBytes.map((bytes, n) => ({ n, keyBytes: 50_000, interBytes: bytes }));
}

describe('the length of a chunk’s GOPs', () => {
  it('is the most that the profile allows where nothing moves', () => {
    expect(chooseGopSegments(segments(1600, 1600, 1600, 1600), VIDEO)).toBe(4);
    expect(chooseGopSegments(segments(0, 0), { gopSegments: 3, maxGopSegments: 10 })).toBe(6);
  });

  it('is the profile’s where much moves', () => {
    expect(chooseGopSegments(segments(500_000, 500_000), VIDEO)).toBe(1);
    expect(chooseGopSegments(segments(500_000), { gopSegments: 2, maxGopSegments: 8 })).toBe(2);
  });

  it('is doubled only while that saves a tenth of the bytes', () => {
    // 25 of 200 kB, then 12.5 of 175 kB
    expect(chooseGopSegments(segments(150_000), VIDEO)).toBe(2);
  });

  it('is never above the profile’s most, and the profile’s without pictures', () => {
    expect(chooseGopSegments(segments(0), { gopSegments: 2, maxGopSegments: 3 })).toBe(2);
    expect(chooseGopSegments([], VIDEO)).toBe(1);
    expect(chooseGopSegments([{ n: 0, keyBytes: 0, interBytes: 0 }], VIDEO)).toBe(1);
  });

  it('is decided by what pictures took to encode, key pictures apart', () => {
    const pictures = [
      { isKey: true, sampleBytes: 900 },
      { isKey: false, sampleBytes: 30 },
      { isKey: false, sampleBytes: 70 },
    ];
    expect(toActivity(7, pictures)).toEqual({ n: 7, keyBytes: 900, interBytes: 100 });
  });
});
