import { expect, it } from 'vitest';
import { planWindow } from '../../../src/queue/plan-window.ts';

const wish = { triggeredAtMs: 50_000, beforeMs: 30_000, afterMs: 5_000 };

it('leaves a window within the recording as it is', () => {
  expect(planWindow(wish, { startMs: 0, endMs: null })).toEqual({
    window: { startMs: 20_000, endMs: 55_000 },
    warnings: [],
  });
});

it('cuts the window to the recording and says by how much', () => {
  const { window, warnings } = planWindow(wish, { startMs: 25_000, endMs: 52_000 });
  expect(window).toEqual({ startMs: 25_000, endMs: 52_000 });
  expect(warnings[0]).toContain('5000 ms later');
  expect(warnings[1]).toContain('3000 ms earlier');
});

it('refuses a window of no length, or with nothing recorded in it', () => {
  const empty = { ...wish, beforeMs: 0, afterMs: 0 };
  expect(() => planWindow(empty, { startMs: 0, endMs: null })).toThrow('more than 0 ms');
  expect(() => planWindow(wish, { startMs: 55_000, endMs: null })).toThrow('within the recording');
  expect(() => planWindow(wish, { startMs: 0, endMs: 20_000 })).toThrow('within the recording');
});
