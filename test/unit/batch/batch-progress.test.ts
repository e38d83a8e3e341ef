import { describe, expect, it } from 'vitest';
import {
  encodedFraction,
  etaMs,
  fractionOf,
  planWindow,
  smoothCost,
  workLeftMs,
  type BatchWorkerView,
  type RunCounts,
} from '../../../src/model/batch-progress.ts';

const MINUTE_MS = 60_000;

function counts(change: Partial<RunCounts> = {}): RunCounts {
  return {
    ...{ chunks: 10, chunksDone: 0, durationMs: 10 * MINUTE_MS, doneMs: 0 },
    ...{ encodedMs: 0, busyMs: 0, retries: 0, bytes: 0, ...change },
  };
}

function worker(change: Partial<BatchWorkerView> = {}): BatchWorkerView {
  return { id: 'a', host: 'h', slots: 2, busy: 0, isPaused: false, ...change };
}

describe('how far a run is', () => {
  it('grows from planning over encoding to the proof, and is whole only when it is completed', () => {
    const half = counts({ doneMs: 5 * MINUTE_MS });
    const steps = [
      fractionOf('waiting', undefined),
      fractionOf('encoding', counts()),
      fractionOf('encoding', half),
      fractionOf('encoding', counts({ doneMs: 10 * MINUTE_MS })),
      fractionOf('proving', counts({ doneMs: 10 * MINUTE_MS })),
      fractionOf('completed', undefined),
    ];
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(new Set(steps).size).toBe(steps.length);
    expect(steps[0]).toBe(0);
    expect(steps.filter((step) => step === 1)).toHaveLength(1);
  });

  it('counts what is being encoded by its part', () => {
    const atWork = [{ chunk: 3, worker: 'a', durationMs: MINUTE_MS, fraction: 0.5 }];
    expect(encodedFraction(counts({ doneMs: MINUTE_MS }), atWork)).toBeCloseTo(0.15);
    expect(encodedFraction(counts({ doneMs: 10 * MINUTE_MS }), atWork)).toBe(1);
  });
});

describe('the time that is left', () => {
  const run = { state: 'encoding', durationMs: 10 * MINUTE_MS };

  it('follows what the run has shown, not what was known before', () => {
    const shown = counts({ doneMs: 5 * MINUTE_MS, encodedMs: MINUTE_MS, busyMs: 2 * MINUTE_MS });
    const guessed = workLeftMs({ ...run, counts: counts({ doneMs: 5 * MINUTE_MS }) }, 0.5);
    expect(workLeftMs({ ...run, counts: shown }, 0.5)).toBeCloseTo(4 * guessed);
  });

  it('is nothing for what is completed, and halves with twice the encoders', () => {
    expect(workLeftMs({ ...run, state: 'completed', counts: counts() }, 1)).toBe(0);
    expect(etaMs(4 * MINUTE_MS, [worker()])).toBe(2 * MINUTE_MS);
    expect(etaMs(4 * MINUTE_MS, [worker(), worker({ id: 'b' })])).toBe(MINUTE_MS);
  });

  it('is unknown while nobody works', () => {
    expect(etaMs(MINUTE_MS, [])).toBeNull();
    expect(etaMs(MINUTE_MS, [worker({ isPaused: true })])).toBeNull();
  });

  it('takes a measurement for a fifth', () => {
    expect(smoothCost(undefined, 2)).toBe(2);
    expect(smoothCost(1, 2)).toBeCloseTo(1.2);
  });
});

describe('what fits into a night', () => {
  const queue = [30, 50, 100, 10].map((minutes, i) => ({ item: i, workMs: minutes * MINUTE_MS }));
  const window = { lengthMs: 60 * MINUTE_MS, slots: 2, busyMs: 0 };

  it('is taken in order; what is too long lets shorter ones pass', () => {
    expect(planWindow(queue, window)).toEqual({ fits: [0, 1, 3], waits: [2] });
  });

  it('leaves room for what is under way', () => {
    expect(planWindow(queue, { ...window, busyMs: 80 * MINUTE_MS }).fits).toEqual([0, 3]);
    expect(planWindow(queue, { ...window, busyMs: 120 * MINUTE_MS }).fits).toEqual([]);
  });

  it('is begun though it is longer than any night', () => {
    const long = { item: 9, workMs: 1000 * MINUTE_MS };
    expect(planWindow([long], window)).toEqual({ fits: [9], waits: [] });
    expect(planWindow([long, ...queue], window).fits).toEqual([9]);
  });
});
