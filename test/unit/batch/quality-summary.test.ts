import { describe, expect, it } from 'vitest';
import {
  summarizeQuality,
  toDb,
  type PictureQuality,
} from '../../../src/batch/proof/quality-summary.ts';

/** Pictures 100 ms apart with these SSIMs. */
function pictures(...values: readonly number[]): PictureQuality[] {
  return values.map((ssimY, i) => ({ atMs: i * 100, ssimY }));
}

describe('the quality of pictures', () => {
  it('is in decibels of what is lacking, at most 60', () => {
    expect(toDb(0)).toBeCloseTo(0);
    expect(toDb(0.9)).toBeCloseTo(10);
    expect(toDb(0.999)).toBeCloseTo(30);
    expect(toDb(0.9999999)).toBe(60);
    expect(toDb(1)).toBe(60);
  });

  it('is the mean of all, and names the worst', () => {
    const quality = summarizeQuality(pictures(1, 0.8, 0.9));
    expect(quality).toMatchObject({ pictures: 3, worstFrameAtMs: 100 });
    expect(quality.ssimDb).toBeCloseTo(toDb(0.9));
    expect(quality.worstFrameDb).toBeCloseTo(toDb(0.8));
    expect(quality).toMatchObject({ seamPictures: 0, seamSsimDb: null });
  });

  it('counts two pictures before a seam and two from it on, each once', () => {
    const values = pictures(0.5, 0.5, 0.5, 0.8, 0.8, 0.9, 0.9, 0.5);
    const one = summarizeQuality(values, [500]);
    expect(one.seamPictures).toBe(4);
    expect(one.seamSsimDb).toBeCloseTo(toDb(0.85));
    expect(summarizeQuality(values, [500, 600]).seamPictures).toBe(5);
  });

  it('takes a seam between pictures as at the next one, and forgives times rounded to ms', () => {
    const values = pictures(0.5, 0.8, 0.8, 0.9, 0.9, 0.5);
    expect(summarizeQuality(values, [250]).seamSsimDb).toBeCloseTo(toDb(0.85));
    expect(summarizeQuality(values, [300.9]).seamSsimDb).toBeCloseTo(toDb(0.85));
    expect(summarizeQuality(values, [301.1]).seamSsimDb).not.toBeCloseTo(toDb(0.85));
  });

  it('counts only what is there at the ends', () => {
    const values = pictures(0.9, 0.9, 0.5, 0.8, 0.8);
    expect(summarizeQuality(values, [0]).seamPictures).toBe(2);
    expect(summarizeQuality(values, [500]).seamSsimDb).toBeCloseTo(toDb(0.8));
  });

  it('refuses to judge nothing', () => {
    expect(() => summarizeQuality([])).toThrow(RangeError);
  });
});
