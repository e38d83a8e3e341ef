import { describe, expect, it } from 'vitest';
import type { HighlightOrigin } from '../../../src/model/highlight.ts';
import type { HighlightTrigger } from '../../../src/protocol/highlight-trigger.ts';
import { planHighlight, type HighlightPlan } from '../../../src/queue/plan-highlight.ts';
import { SAMPLE_ORIGIN_MS, sampleRecording } from '../../support/sample-records.ts';

const NOW_MS = SAMPLE_ORIGIN_MS + 100_000;
const recording = sampleRecording({ metadata: { teacher: 'ms-li' } });

function plan(trigger: HighlightTrigger, origin: HighlightOrigin = 'api'): HighlightPlan {
  let count = 0;
  const newId = (): string => `id-${count++}`;
  const span = { startMs: SAMPLE_ORIGIN_MS, endMs: null };
  return planHighlight({ recording, trigger, origin, nowMs: NOW_MS, span, newId });
}

describe('a highlight', () => {
  it('keeps all that its trigger says', () => {
    const trigger = {
      triggerId: 'given',
      title: '证明',
      requestedBy: 'ms-li',
      participants: ['wang', 'wang', 'zhao'],
      tags: ['proof'],
      precision: 'segment' as const,
    };
    expect(plan(trigger, 'panel').highlight).toMatchObject({
      id: 'id-0',
      triggerId: 'given',
      origin: 'panel',
      triggeredAtMs: NOW_MS,
      title: '证明',
      requestedBy: 'ms-li',
      participants: ['wang', 'zhao'],
      tags: ['proof'],
      precision: 'segment',
      teacher: 'ms-li',
      state: 'open',
      window: { startMs: NOW_MS - 30_000, endMs: NOW_MS + 5_000 },
    });
  });

  it('is exact to the frame, of nobody and untitled where nothing is said', () => {
    expect(plan({}).highlight).toMatchObject({
      triggerId: 'id-1',
      title: null,
      requestedBy: null,
      participants: [],
      tags: [],
      precision: 'frame',
    });
  });

  it('stays deleted when its trigger may be heard again, and only then', () => {
    const heard = (['api', 'panel', 'signalling', 'page', 'rule'] as const).map(
      (origin) => plan({ triggerId: 't' }, origin).isHeard,
    );
    expect(heard).toEqual([false, false, true, true, true]);
  });
});

describe('a press of a button', () => {
  it('is what a person does, or what has no id of its own', () => {
    expect(plan({}).press).toBeDefined();
    expect(plan({ triggerId: 't', requestedBy: 'ms-li' }, 'signalling').press).toBeDefined();
    expect(plan({ triggerId: 't' }, 'panel').press).toBeDefined();
    expect(plan({ triggerId: 't' }).press).toBeUndefined();
    expect(plan({ triggerId: 'of-an-event' }, 'rule').press).toBeUndefined();
  });

  it('is the same whatever its time, id, and the order of names', () => {
    const one = plan({ atMs: NOW_MS - 10, participants: ['a', 'b'], requestedBy: 'x' });
    const two = plan({ triggerId: 't', participants: ['b', 'a'], requestedBy: 'x' });
    expect(two.press).toBe(one.press);
  });

  it.each([
    { beforeMs: 15_000 },
    { afterMs: 0 },
    { title: 'another' },
    { participants: ['wang'] },
    { tags: ['proof'] },
    { requestedBy: 'somebody else' },
    { precision: 'segment' as const },
    { startMs: NOW_MS - 35_000, endMs: NOW_MS },
  ])('is another one for %j', (change) => {
    expect(plan(change).press).not.toBe(plan({}).press);
  });

  it('is another one in another place, and for another span', () => {
    expect(plan({}, 'panel').press).not.toBe(plan({}).press);
    const spanFrom = (startMs: number): string | undefined =>
      plan({ startMs, endMs: startMs + 10_000 }).press;
    expect(spanFrom(NOW_MS - 20_000)).toBe(spanFrom(NOW_MS - 20_000));
    expect(spanFrom(NOW_MS - 20_000)).not.toBe(spanFrom(NOW_MS - 20_001));
  });
});
