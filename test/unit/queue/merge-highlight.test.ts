import { describe, expect, it } from 'vitest';
import type { Highlight } from '../../../src/model/highlight.ts';
import { canMerge, growHighlight } from '../../../src/queue/merge-highlight.ts';
import {
  SAMPLE_ORIGIN_MS as ORIGIN,
  sampleHighlight,
  sampleRecording,
} from '../../support/sample-records.ts';

const present = sampleHighlight({ participants: ['wang'], tags: ['a'], title: null });
const AT_MS = present.triggeredAtMs;
const context = { recording: sampleRecording({ originMs: ORIGIN }), nowMs: AT_MS + 3_000 };

/** Another trigger, so much later. */
function later(ms: number, change: Partial<Highlight> = {}): Highlight {
  return sampleHighlight({ id: 'later', triggeredAtMs: AT_MS + ms, ...change });
}

describe('an open highlight', () => {
  it('grows to the union of both windows, with everybody’s participants and tags', () => {
    const wish = later(3_000, { participants: ['zhao', 'wang'], tags: ['b'], title: 'yes' });
    const grown = growHighlight(present, wish);
    expect(grown).toMatchObject({
      id: present.id,
      triggerId: present.triggerId,
      triggeredAtMs: AT_MS,
      beforeMs: 30_000,
      afterMs: 8_000,
      window: { startMs: AT_MS - 30_000, endMs: AT_MS + 8_000 },
      participants: ['wang', 'zhao'],
      tags: ['a', 'b'],
      title: 'yes',
    });
    expect(growHighlight(grown, wish)).toEqual(grown);
  });

  it('takes in one that it meets while its window is open', () => {
    expect(canMerge(present, later(3_000), context)).toBe(true);
    // Windows that only touch: 5 s after the one, 30 s before the other.
    expect(canMerge(present, later(35_000), { ...context, nowMs: AT_MS + 4_999 })).toBe(true);
  });

  it.each([
    ['they do not meet', later(35_001), context],
    ['its window is over', later(3_000), { ...context, nowMs: AT_MS + 5_000 }],
    ['the whole would be too long', later(0, { afterMs: 580_000 }), context],
    ['its playlist would have to begin earlier', later(0, startingAt(-60_000)), context],
  ])('takes in none when %s', (_why, wish, at) => {
    const { triggeredAtMs, beforeMs, afterMs } = wish;
    const window = { startMs: triggeredAtMs - beforeMs, endMs: triggeredAtMs + afterMs };
    expect(canMerge(present, { ...wish, window }, at)).toBe(false);
  });

  it('takes in none once its clip is being made', () => {
    const assembling = { ...present, state: 'assembling' as const };
    expect(canMerge(assembling, later(3_000), context)).toBe(false);
  });

  it('may begin earlier within its first segment, and while nothing is recorded', () => {
    const earlier = later(0, startingAt(-30_100));
    const startMs = AT_MS - 30_100;
    const wish = { ...earlier, window: { startMs, endMs: AT_MS } };
    // The window begins 30 s after the origin: 1200 ms into segment 18.
    expect(canMerge(present, wish, context)).toBe(true);
    const far = { ...earlier, window: { startMs: startMs - 20_000, endMs: AT_MS } };
    const queued = { ...context, recording: sampleRecording() };
    expect(canMerge(present, far, context)).toBe(false);
    expect(canMerge(present, far, queued)).toBe(true);
  });
});

/** From so long after the trigger on (negative: before). */
function startingAt(ms: number): Partial<Highlight> {
  return { beforeMs: -ms, afterMs: 0 };
}
