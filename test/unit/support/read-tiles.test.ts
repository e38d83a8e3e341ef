import { describe, expect, it } from 'vitest';
import {
  listOwnStands,
  listStands,
  longestStand,
  type TileClock,
} from '../../support/sources/read-tiles.ts';

/** A clock of 100 ms steps that is recorded ten times a second, and does not go on in the gap (or is not recorded in it). */
const clock = (
  toMs: number,
  gap: { readonly fromMs: number; readonly toMs: number },
): TileClock[] =>
  Array.from({ length: toMs / 100 }, (_, i) => i * 100)
    .filter((atMs) => atMs < gap.fromMs || atMs >= gap.toMs)
    .map((atMs) => ({ atMs, clockMs: atMs }));
const NEVER = { fromMs: Infinity, toMs: Infinity };

describe('stands of recorded clocks', () => {
  it('are as long as a clock did not go on, ends included', () => {
    const stood = clock(3000, { fromMs: 1000, toMs: 2000 });
    expect(longestStand(stood, 0, 3000)).toBe(1100);
    expect(longestStand(clock(1000, NEVER), 0, 3000)).toBe(2100);
    const backwards = clock(1000, NEVER).map((one) =>
      one.atMs === 500 ? { ...one, clockMs: 0 } : one,
    );
    expect(longestStand(backwards, 0, 1000)).toBe(200);
  });

  it('are a tile’s own only while another tile’s clock goes on', () => {
    const frozen = listStands(clock(3000, { fromMs: 1000, toMs: 2000 }), 0, 3000);
    const moving = listStands(clock(3000, NEVER), 0, 3000);
    expect(Math.max(...(listOwnStands([frozen, moving])[0] ?? []))).toBe(1100);
    // both stand: the recording itself did
    const [one = [], other = []] = listOwnStands([frozen, frozen]);
    expect(Math.max(...one)).toBeLessThan(300);
    expect(one).toEqual(other);
  });
});
