import { describe, expect, it } from 'vitest';
import {
  clampWindow,
  wholeSegments,
  lastSegmentOf,
  selectSegments,
} from '../../../highlight/window.ts';
import type { SegmentEntry } from '../../../src/model/segment.ts';

const ORIGIN_MS = 1_760_000_000_000;

function entry(n: number): SegmentEntry {
  return {
    n,
    lane: 0,
    epoch: 1,
    place: { object: `${n}.ts`, offset: 0, length: 188 },
    codecHash: 'a',
    publishedAtMs: 0,
  };
}

function window(startMs: number, endMs: number) {
  return { startMs: ORIGIN_MS + startMs, endMs: ORIGIN_MS + endMs };
}

describe('clampWindow', () => {
  const media = window(800, 8000);

  it('leaves a window within the recording alone', () => {
    expect(clampWindow(window(1000, 5000), media)).toEqual({
      window: window(1000, 5000),
      warnings: [],
    });
  });

  it('cuts off what lies outside, and says so', () => {
    expect(clampWindow(window(-4200, 9000), media)).toEqual({
      window: media,
      warnings: [
        'The recording starts 5000 ms after the window: the clip starts with it.',
        'The recording ends 1000 ms before the window: the clip ends with it.',
      ],
    });
  });

  it('is empty when the two do not meet', () => {
    expect(clampWindow(window(8000, 9000), media).window).toBeUndefined();
  });
});

describe('lastSegmentOf', () => {
  it('does not wait for a segment that starts where the window ends', () => {
    expect(lastSegmentOf(window(0, 1600), ORIGIN_MS)).toBe(0);
    expect(lastSegmentOf(window(0, 1601), ORIGIN_MS)).toBe(1);
  });
});

describe('selectSegments', () => {
  const numbers = (startMs: number, endMs: number, entries: readonly number[]) =>
    selectSegments(entries.map(entry), {
      window: window(startMs, endMs),
      originMs: ORIGIN_MS,
    }).map(({ n }) => n);

  it('takes the segments of the window and the one before', () => {
    expect(numbers(3200, 6400, [0, 1, 2, 3, 4, 5])).toEqual([1, 2, 3]);
    expect(numbers(0, 1601, [0, 1, 2])).toEqual([0, 1]);
  });

  it('reaches back over a hole for the picture that is held', () => {
    expect(numbers(5000, 8000, [0, 1, 4, 5])).toEqual([1, 4]);
  });
});

describe('wholeSegments', () => {
  const whole = (startMs: number, endMs: number, numbers: readonly number[]) =>
    wholeSegments(window(startMs, endMs), numbers.map(entry), ORIGIN_MS);

  it('grows a window to the segments it touches, and says by how much', () => {
    expect(whole(2000, 6000, [0, 1, 2, 3, 4])).toEqual({
      window: window(1600, 6400),
      warnings: [
        'The clip starts 400 ms before the window, with its segment.',
        'The clip ends 400 ms after the window, with its segment.',
      ],
    });
    expect(whole(1600, 3200, [0, 1, 2])).toEqual({ window: window(1600, 3200), warnings: [] });
  });

  it('leaves out a hole at either end', () => {
    expect(whole(2000, 6000, [0, 2, 4])).toEqual({
      window: window(3200, 4800),
      warnings: [
        'The clip starts 1200 ms after the window, with its segment.',
        'The clip ends 1200 ms before the window, with its segment.',
      ],
    });
    expect(whole(2000, 3000, [0, 2])).toBeUndefined();
  });
});
