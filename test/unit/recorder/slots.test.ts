import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlotGrid, type DueSlot, type OfferResult } from '../../../recorder/page/slots.ts';
import type { GridFps } from '../../../src/model/grid.ts';

/** A mandatory picture comes at least this often, ms. */
const FILL_MS = 200;
/** Frames until the phase has settled: half a slot of slewing at 0.004 a frame, and the mean before it. */
const SETTLE_FRAMES = 300;
/** Long enough for every slot before it to be due. */
const FLUSH_MS = 1000;

type Run = {
  readonly due: readonly DueSlot<number>[];
  readonly results: readonly OfferResult<number>[];
};

/** Offers frame i at `timesMs[i]`, takes what is due after each, and all slots up to `untilMs` at the end. */
function run(grid: SlotGrid<number>, timesMs: readonly number[], untilMs: number): Run {
  const due: DueSlot<number>[] = [];
  const results = timesMs.map((atMs, frame) => {
    const result = grid.offer(frame, atMs);
    due.push(...grid.due(atMs));
    return result;
  });
  due.push(...grid.due(untilMs));
  return { due, results };
}

/** Times of a steady source, ms, each moved by `jitterMs(i)`. */
function steady(
  options: { readonly fps: number; readonly count: number; readonly offsetMs?: number },
  jitterMs: (i: number) => number = () => 0,
): number[] {
  const { fps, count, offsetMs = 0 } = options;
  return Array.from({ length: count }, (_, i) => offsetMs + (i * 1000) / fps + jitterMs(i));
}

/** Numbers from 0 to 1 that look random and are the same in every run. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('SlotGrid', () => {
  it.each([0, 7, 16.6, 25])(
    'fills every slot from a steady 30 fps source %f ms off',
    (offsetMs) => {
      const { due, results } = run(
        new SlotGrid(30),
        steady({ fps: 30, count: 900, offsetMs }),
        29_900,
      );
      const settled = due.filter(({ slot }) => slot >= SETTLE_FRAMES && slot < 890);
      expect(settled.map(({ slot }) => slot)).toEqual(
        Array.from({ length: 890 - SETTLE_FRAMES }, (_, i) => SETTLE_FRAMES + i),
      );
      expect(settled.every(({ frame }) => frame !== undefined)).toBe(true);
      expect(results.slice(SETTLE_FRAMES).every((result) => result === 'placed')).toBe(true);
    },
  );

  it.each([0, 7, 16.6, 25])('loses no frame to ±10 ms of jitter, source %f ms off', (offsetMs) => {
    const random = noise(1 + offsetMs * 10);
    const times = steady({ fps: 30, count: 1800, offsetMs }, () => (random() - 0.5) * 20);
    const { results, due } = run(new SlotGrid(30), times, 60_000 + FLUSH_MS);
    expect(results.slice(SETTLE_FRAMES).filter((result) => result !== 'placed')).toEqual([]);
    const encoded = due.flatMap(({ frame }) => frame ?? []).filter((f) => f >= SETTLE_FRAMES);
    expect(encoded).toEqual(
      Array.from({ length: 1800 - SETTLE_FRAMES }, (_, i) => SETTLE_FRAMES + i),
    );
  });

  it('never moves frames by more than half a slot', () => {
    const grid = new SlotGrid<number>(30);
    // 29.7 fps drifts through all phases again and again.
    for (const atMs of steady({ fps: 29.7, count: 2000 })) {
      grid.offer(0, atMs);
      for (const _ of grid.due(atMs));
      expect(Math.abs(grid.phase)).toBeLessThanOrEqual(0.5);
    }
  });

  it('fills the first slot of a segment, its last two, and one in any 200 ms without any frame', () => {
    const { due } = run(new SlotGrid(30), [], 1600 * 3 + FLUSH_MS);
    const slots = due.map(({ slot }) => slot).filter((slot) => slot < 48 * 3);
    expect(slots.slice(0, 11)).toEqual([0, 6, 12, 18, 24, 30, 36, 42, 46, 47, 48]);
    expect(due.every(({ frame }) => frame === undefined)).toBe(true);
  });

  it.each([10, 15, 20, 25, 30, 50, 60] as const)('keeps the mandatory slots at %i fps', (fps) => {
    const perSegment = fps * 1.6;
    const { due } = run(new SlotGrid(fps), [450, 2100, 2900], 6000);
    const slots = due.map(({ slot }) => slot);
    const last = slots.at(-1) ?? 0;
    for (let n = 0; n * perSegment <= last; n += 1) expect(slots).toContain(n * perSegment);
    for (let n = 1; n * perSegment <= last; n += 1) {
      expect(slots).toEqual(expect.arrayContaining([n * perSegment - 2, n * perSegment - 1]));
    }
    const gapsMs = slots.slice(1).map((slot, i) => ((slot - (slots[i] ?? 0)) * 1000) / fps);
    expect(Math.max(...gapsMs)).toBeLessThanOrEqual(FILL_MS);
  });

  it('asks for a key frame in the first slot of each segment and nowhere else', () => {
    const { due } = run(new SlotGrid(25), steady({ fps: 25, count: 200 }), 8000);
    expect(due.filter(({ isKey }) => isKey).map(({ slot }) => slot)).toEqual([0, 40, 80, 120, 160]);
  });

  it('gives each slot of 30 fps one frame of a 60 fps source and hands the others back', () => {
    const { due, results } = run(new SlotGrid(30), steady({ fps: 60, count: 600 }), 9900);
    const slots = due.map(({ slot }) => slot);
    expect(slots).toEqual(Array.from({ length: slots.length }, (_, i) => i));
    expect(due.slice(0, 290).every(({ frame }) => frame !== undefined)).toBe(true);
    const displaced = results.flatMap((result) =>
      typeof result === 'object' ? [result.displaced] : [],
    );
    const encoded = due.flatMap(({ frame }) => frame ?? []);
    expect(new Set([...displaced, ...encoded]).size).toBe(displaced.length + encoded.length);
    // Half are handed back, but for the few still waiting at the end.
    expect(displaced.length).toBeGreaterThan(290);
  });

  it('reports a frame whose slot is past, and takes one that is only a slot late', () => {
    const grid = new SlotGrid<string>(30);
    const decided = [...grid.due(1000)];
    expect(decided.at(-1)?.slot).toBeLessThan(grid.next);
    const slotMs = 1000 / 30;
    expect(grid.offer('far too late', (grid.next - 5) * slotMs)).toBe('late');
    expect(grid.offer('a slot late', (grid.next - 1) * slotMs)).toBe('placed');
    expect([...grid.due(1000 + slotMs + 1)].map(({ frame }) => frame)).toEqual(['a slot late']);
  });

  it('keeps the newest of the frames that come late together', () => {
    const grid = new SlotGrid<string>(30);
    expect([...grid.due(1000)].length).toBeGreaterThan(0);
    const lateMs = ((grid.next - 1) * 1000) / 30;
    expect(grid.isWaiting).toBe(false);
    expect(grid.offer('older', lateMs)).toBe('placed');
    expect(grid.isWaiting).toBe(true);
    expect(grid.offer('newer', lateMs)).toEqual({ displaced: 'older' });
    expect(grid.drain()).toEqual(['newer']);
  });

  it('asks for a picture within 200 ms of the last encoded one when optional slots are left empty', () => {
    const grid = new SlotGrid<number>(50);
    const encoded: number[] = [];
    for (let slot = 0; slot < 400; slot += 1) {
      grid.offer(slot, slot * 20);
      for (const due of grid.due(slot * 20)) {
        // A recorder that cannot keep up leaves empty whatever it may.
        if (due.isOptional) grid.leaveEmpty();
        else encoded.push(due.slot);
      }
    }
    const gaps = encoded.slice(1).map((slot, i) => slot - (encoded[i] ?? 0));
    expect(encoded[0]).toBe(0);
    expect(Math.max(...gaps)).toBe(10);
    expect(encoded).toEqual(expect.arrayContaining([78, 79, 80, 158, 159, 160]));
  });

  it.each([
    { when: 'while its phase is learnt', extraAt: 10, frames: 5 },
    { when: 'once that is settled', extraAt: 400, frames: 60 },
  ])('lets frames lie a slot behind for $frames frames $when', ({ extraAt, frames }) => {
    const times = steady({ fps: 30, count: 600, offsetMs: 7 });
    // One frame too many: whatever follows it lies a slot behind, until one is given up.
    times.splice(extraAt + 1, 0, (times[extraAt] ?? 0) + 1);
    const { results } = run(new SlotGrid(30), times, 0);
    const givenUp = results.flatMap((result, i) => (typeof result === 'object' ? [i] : []));
    expect(givenUp).toEqual([extraAt + 1 + frames]);
  });

  it('lays the first of two frames that come close together into the empty slot before', () => {
    // A page that was held up at 33 ms draws at 52 ms, and in time again at 67 ms.
    const times = [0, 52, 67, 100];
    const { due, results } = run(new SlotGrid(30), times, 300);
    expect(results).toEqual(['placed', 'placed', 'placed', 'placed']);
    const placed = due.filter(({ frame }) => frame !== undefined);
    expect(placed.map(({ slot, frame }) => [slot, frame])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  it('hands out what was not encoded once', () => {
    const grid = new SlotGrid<string>(30);
    grid.offer('a', 0);
    grid.offer('b', 40);
    expect(grid.drain()).toEqual(['a', 'b']);
    expect(grid.drain()).toEqual([]);
  });

  it('puts out rising slots, places each frame at most once and in order, and loses sight of none', () => {
    const steps = fc.array(
      fc.record({
        stepMs: fc.integer({ min: 0, max: 120 }),
        jitterMs: fc.integer({ min: -150, max: 60 }),
      }),
      { minLength: 1, maxLength: 200 },
    );
    const fpsOf = fc.constantFrom<GridFps[]>(10, 15, 20, 25, 30, 50, 60);
    fc.assert(
      fc.property(fpsOf, steps, (fps, moves) => {
        const grid = new SlotGrid<number>(fps);
        const due: DueSlot<number>[] = [];
        const returned: number[] = [];
        let nowMs = 0;
        moves.forEach(({ stepMs, jitterMs }, frame) => {
          nowMs += stepMs;
          const result = grid.offer(frame, Math.max(0, nowMs + jitterMs));
          if (result === 'late') returned.push(frame);
          else if (result !== 'placed') returned.push(result.displaced);
          due.push(...grid.due(nowMs));
        });
        const encoded = due.flatMap(({ frame }) => frame ?? []);
        expect(encoded).toEqual([...encoded].sort((a, b) => a - b));
        const all = [...encoded, ...returned, ...grid.drain()].sort((a, b) => a - b);
        expect(all).toEqual(moves.map((_, i) => i));
        due.slice(1).forEach(({ slot }, i) => {
          expect(slot).toBeGreaterThan(due[i]?.slot ?? Infinity);
        });
      }),
      { numRuns: 200 },
    );
  });
});
