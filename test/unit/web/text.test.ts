import { describe, expect, it } from 'vitest';
import { bytesText, clockTime, durationText } from '../../../src/web/common/text.ts';
import { planMarks } from '../../../src/web/watch/marks.ts';

describe('texts for people', () => {
  it.each([
    [0, '0:00'],
    [59_999, '0:59'],
    [725_000, '12:05'],
    [3_725_000, '1:02:05'],
    [-5, '0:00'],
  ])('%d ms on the clock is %s', (ms, text) => expect(clockTime(ms)).toBe(text));

  it.each([
    [35_000, '35 s'],
    [59_600, '1 min'],
    [65_000, '1 min 5 s'],
    [120_000, '2 min'],
  ])('a duration of %d ms is %s', (ms, text) => expect(durationText(ms)).toBe(text));

  it.each([
    [10, '0.1 MB'],
    [5_767_168, '5.5 MB'],
    [73_400_320, '70 MB'],
  ])('%d bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));
});

describe('planMarks', () => {
  const span = { originMs: 1000, durationMs: 10_000 };
  const mark = (
    id: string,
    startMs: number,
    endMs: number,
  ): Parameters<typeof planMarks>[0][0] => ({
    id,
    window: { startMs, endMs },
  });

  it('lays each highlight where it is in the recording, earliest first', () => {
    expect(planMarks([mark('b', 6000, 11_000), mark('a', 1000, 2000)], span)).toEqual([
      { id: 'a', from: 0, width: 0.1 },
      { id: 'b', from: 0.5, width: 0.5 },
    ]);
  });

  it('cuts what reaches beyond what can be played, and leaves out what lies beyond', () => {
    expect(planMarks([mark('a', 10_000, 13_000), mark('b', 12_000, 14_000)], span)).toEqual([
      { id: 'a', from: 0.9, width: expect.closeTo(0.1) as number },
    ]);
  });

  it('has none while the length is not known', () => {
    expect(planMarks([mark('a', 1000, 2000)], { originMs: 1000, durationMs: 0 })).toEqual([]);
  });
});
