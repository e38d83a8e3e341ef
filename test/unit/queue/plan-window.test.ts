import { describe, expect, it } from 'vitest';
import { planAskedWindow, planWindow } from '../../../src/queue/plan-window.ts';

const wish = { triggeredAtMs: 50_000, beforeMs: 30_000, afterMs: 5_000 };
const NOW = { nowMs: 100_000, maxClipMs: 600_000 };

describe('the window asked for', () => {
  it('is 30 s before now and 5 s after, unless the trigger says otherwise', () => {
    expect(planAskedWindow({}, NOW)).toEqual({
      triggeredAtMs: 100_000,
      beforeMs: 30_000,
      afterMs: 5_000,
    });
    expect(planAskedWindow({ atMs: 70_000, beforeMs: 0, afterMs: 1 }, NOW)).toEqual({
      triggeredAtMs: 70_000,
      beforeMs: 0,
      afterMs: 1,
    });
  });

  it('may be a span, whose moment is its middle or the one that is named', () => {
    const span = { startMs: 20_000, endMs: 30_001 };
    expect(planAskedWindow(span, NOW)).toEqual({
      triggeredAtMs: 25_000,
      beforeMs: 5_000,
      afterMs: 5_001,
    });
    expect(planAskedWindow({ ...span, atMs: 30_001 }, NOW)).toEqual({
      triggeredAtMs: 30_001,
      beforeMs: 10_001,
      afterMs: 0,
    });
  });

  it.each([
    [{ beforeMs: 0, afterMs: 0 }, 'beforeMs', 'window-empty'],
    [{ startMs: 5, endMs: 5 }, 'endMs', 'window-empty'],
    [{ startMs: 6, endMs: 5 }, 'endMs', 'window-empty'],
    [{ beforeMs: 595_001, afterMs: 5_000 }, 'beforeMs', 'window-too-long'],
    [{ beforeMs: 1, afterMs: 600_000 }, 'afterMs', 'window-too-long'],
    [{ startMs: 1, endMs: 600_002 }, 'endMs', 'window-too-long'],
    [{ atMs: 160_001 }, 'atMs', 'invalid-input'],
    [{ startMs: 160_000, endMs: 170_000 }, 'startMs', 'invalid-input'],
    [{ startMs: 10, endMs: 20, atMs: 21 }, 'atMs', 'invalid-input'],
  ])('refuses %j, naming %s', (trigger, field, code) => {
    const plan = (): unknown => planAskedWindow(trigger, NOW);
    expect(plan).toThrow(expect.objectContaining({ code, fault: 'input', details: { field } }));
  });

  it('may be as long as the recording allows', () => {
    const longest = { beforeMs: 595_000, afterMs: 5_000 };
    expect(planAskedWindow(longest, NOW)).toMatchObject(longest);
    const short = { ...NOW, maxClipMs: 10_000 };
    expect(() => planAskedWindow({ beforeMs: 5_000, afterMs: 5_001 }, short)).toThrow('10000 ms');
  });
});

describe('the window kept', () => {
  it('is the one asked for where that lies within the recording', () => {
    expect(planWindow(wish, { startMs: 0, endMs: null })).toEqual({
      window: { startMs: 20_000, endMs: 55_000 },
      warnings: [],
    });
  });

  it('is cut to the recording, and says by how much', () => {
    const { window, warnings } = planWindow(wish, { startMs: 25_000, endMs: 52_000 });
    expect(window).toEqual({ startMs: 25_000, endMs: 52_000 });
    expect(warnings[0]).toContain('5000 ms later');
    expect(warnings[1]).toContain('3000 ms earlier');
  });

  it('cannot lie outside the recording', () => {
    for (const span of [
      { startMs: 55_000, endMs: null },
      { startMs: 0, endMs: 20_000 },
    ]) {
      expect(() => planWindow(wish, span, 'startMs')).toThrow(
        expect.objectContaining({
          code: 'window-outside-recording',
          details: { field: 'startMs' },
        }),
      );
    }
  });
});
