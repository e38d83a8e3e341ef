import { describe, expect, it } from 'vitest';
import { PhaseControl } from '../../../recorder/page/phase.ts';
import { SlotGrid } from '../../../recorder/page/slots.ts';

const FPS = 30;
const SLOT_MS = 1000 / FPS;
/** The hysteresis of slewing, and what a place is told apart to. */
const SLEWN_WITHIN = 0.03 + 1 / 24;
/** Longer than frames may lie behind their slots. */
const FRAMES = 200;
/** Frames a control needs to learn a steady rhythm before recording: half a second. */
const LEARN_FRAMES = 15;
/** Places in a slot are told apart to a 24th of it. */
const LEARNT_WITHIN = 1 / 24;

describe('PhaseControl', () => {
  it.each([
    { place: 0.3, phase: -0.3 },
    { place: 0.8, phase: 0.2 },
    { place: 0, phase: 0 },
  ])('settles a source $place of a slot off at $phase', ({ place, phase }) => {
    const control = new PhaseControl();
    for (let i = 0; i < LEARN_FRAMES; i += 1) control.see(1000 + i + place);
    expect(control.value).toBe(0);
    control.settle();
    expect(Math.abs(control.value - phase)).toBeLessThan(LEARNT_WITHIN);
  });

  it('settles at 0 for a source without rhythm', () => {
    const control = new PhaseControl();
    for (let i = 0; i < 100; i += 1) control.see(i * 0.618);
    control.settle();
    expect(control.value).toBe(0);
  });

  it('lays the edge of the slots between the two places of a source that comes a display frame early or late', () => {
    const control = new PhaseControl();
    // One frame in ten is half a slot late.
    for (let i = 0; i < 100; i += 1) control.see(i + (i % 10 === 0 ? 0.5 : 0));
    control.settle();
    expect(Math.abs(Math.abs(control.value) - 0.25)).toBeLessThan(LEARNT_WITHIN);
  });

  it('follows a source that begins with the recording within its first two seconds', () => {
    const control = new PhaseControl();
    control.settle();
    for (let i = 0; i < 60; i += 1) control.see(i + 0.4);
    expect(Math.abs(control.value + 0.4)).toBeLessThan(SLEWN_WITHIN);
  });

  it('follows a source that changes later by 0.004 slots a frame', () => {
    const control = new PhaseControl();
    control.settle();
    for (let i = 0; i < 60; i += 1) control.see(i);
    let before = control.value;
    for (let i = 0; i < 300; i += 1) {
      control.see(i + 0.4);
      expect(Math.abs(control.value - before)).toBeLessThan(0.00401);
      before = control.value;
    }
    expect(Math.abs(control.value + 0.4)).toBeLessThan(SLEWN_WITHIN);
  });
});

describe('SlotGrid with a phase learnt before', () => {
  it('fills every slot from the first on, with a source right between two slots and ±7 ms of jitter', () => {
    const phase = new PhaseControl();
    const at = (i: number): number => (i + 0.5) * SLOT_MS + (i % 2 === 0 ? 7 : -7);
    for (let i = -30; i < 0; i += 1) phase.see((at(i) * FPS) / 1000);
    const grid = new SlotGrid<number>(FPS, phase);
    const placed = Array.from({ length: 300 }, (_, i) => grid.offer(i, at(i)));
    expect(placed.every((result) => result === 'placed')).toBe(true);
  });

  it('brings frames that a collision put a slot behind back to their own, for the price of one', () => {
    const grid = new SlotGrid<number>(FPS);
    // Frame 0 finds its slot taken; so does each one after it.
    expect(grid.offer(-1, -10)).toBe('placed');
    const results = Array.from({ length: FRAMES }, (_, i) => {
      const result = grid.offer(i, i * SLOT_MS);
      for (const _ of grid.due((i + 0.5) * SLOT_MS));
      return result;
    });
    expect(results.filter((result) => result !== 'placed')).toHaveLength(1);
    grid.drain();
    grid.offer(FRAMES, FRAMES * SLOT_MS);
    const due = [...grid.due((FRAMES + 100) * SLOT_MS)].find(({ frame }) => frame === FRAMES);
    expect(due?.slot).toBe(FRAMES);
  });
});
