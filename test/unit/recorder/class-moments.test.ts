import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { keepClassMoments } from '../../../recorder/class/class-moments.ts';
import { planRuleTriggers } from '../../../recorder/class/highlight-rules.ts';
import { ChalkreelError } from '../../../src/errors.ts';
import { createLog } from '../../../src/log.ts';
import type { HighlightRule, Recording } from '../../../src/model/recording.ts';
import type { ClassEvent } from '../../../src/protocol/class-event.ts';
import type { HighlightTrigger } from '../../../src/protocol/highlight-trigger.ts';
import { recordingSettingsSchema } from '../../../src/protocol/recording-request.ts';
import { sampleHighlight, sampleRecording } from '../../support/sample-records.ts';

const CREATED_MS = 1_750_000_000_000;
/** This machine is 40 s behind the fleet. */
const AHEAD_MS = 40_000;

type Asked = { readonly trigger: HighlightTrigger; readonly origin: string };

/** A run that can be told things, and what was asked for because of them. */
function listen(
  change: Partial<Recording> = {},
  failures: ChalkreelError[] = [],
): {
  run: EventEmitter<{ highlight: [HighlightTrigger]; classEvent: [ClassEvent] }>;
  asked: Asked[];
  setTime: (ms: number) => void;
} {
  const run = new EventEmitter<{ highlight: [HighlightTrigger]; classEvent: [ClassEvent] }>();
  const asked: Asked[] = [];
  let nowMs = CREATED_MS + 100_000;
  keepClassMoments(run, {
    recording: sampleRecording({ createdAtMs: CREATED_MS, ...change }),
    requestHighlight: (_id, trigger, origin) => {
      asked.push({ trigger, origin });
      const failure = failures.shift();
      if (failure !== undefined) return Promise.reject(failure);
      return Promise.resolve({ highlight: sampleHighlight(), created: true });
    },
    nowMs: () => nowMs,
    pageNowMs: () => nowMs - AHEAD_MS,
    log: createLog('test', 'silent'),
    signal: new AbortController().signal,
  });
  return { run, asked, setTime: (ms) => (nowMs = CREATED_MS + ms) };
}

function withRules(rules: readonly HighlightRule[]): Partial<Recording> {
  return { settings: recordingSettingsSchema.parse({ highlights: { rules } }) };
}

describe('a moment asked for in the class', () => {
  it('is kept by the fleet’s clock, wherever its time came from', () => {
    const { run, asked } = listen();
    run.emit('highlight', { triggerId: 'a', atMs: CREATED_MS + 50_000, title: 'yes' });
    run.emit('highlight', { triggerId: 'b' });
    run.emit('highlight', { startMs: CREATED_MS, endMs: CREATED_MS + 10_000 });
    expect(asked).toEqual([
      {
        trigger: { triggerId: 'a', atMs: CREATED_MS + 50_000 + AHEAD_MS, title: 'yes' },
        origin: 'page',
      },
      { trigger: { triggerId: 'b', atMs: CREATED_MS + 100_000 }, origin: 'page' },
      {
        trigger: { startMs: CREATED_MS + AHEAD_MS, endMs: CREATED_MS + 10_000 + AHEAD_MS },
        origin: 'page',
      },
    ]);
  });

  it('is signalling’s where the class is given by its parts', () => {
    const classroom = { title: '', signallingUrl: 'ws://127.0.0.1/', sources: [] };
    const { run, asked } = listen({ source: { kind: 'classroom', classroom } });
    run.emit('highlight', { triggerId: 'a' });
    expect(asked[0]?.origin).toBe('signalling');
  });

  it('is asked for again when Redis is away, as it was, and not when it is refused', async () => {
    const away = new ChalkreelError('redis-unavailable', 'away', { fault: 'dependency' });
    const refused = new ChalkreelError('window-empty', 'no', { fault: 'input' });
    const { run, asked, setTime } = listen({}, [away, refused]);
    run.emit('highlight', {});
    setTime(200_000);
    await expect.poll(() => asked.length, { timeout: 5_000 }).toBe(2);
    expect(asked[1]).toEqual(asked[0]);
  });

  it('is dropped when a page asks for too many', () => {
    const { run, asked, setTime } = listen();
    for (let i = 0; i < 100; i++) run.emit('highlight', { triggerId: String(i) });
    expect(asked).toHaveLength(60);
    setTime(110_000);
    for (let i = 0; i < 100; i++) run.emit('highlight', { triggerId: `later ${i}` });
    expect(asked).toHaveLength(70);
  });
});

describe('a rule', () => {
  const rule: HighlightRule = { on: 'reward', beforeMs: 20_000, afterMs: 3_000, tags: ['star'] };
  const event: ClassEvent = {
    type: 'reward',
    eventId: 'e1',
    participantId: 'wang',
    title: 'a star',
    atMs: CREATED_MS + 10_000,
  };

  it('makes a trigger of its event, the same for whoever hears it', () => {
    const triggers = planRuleTriggers([rule, { on: 'spotlight' }], event);
    expect(triggers).toEqual([
      {
        triggerId: 'rule-0-reward-e1',
        atMs: event.atMs,
        beforeMs: 20_000,
        afterMs: 3_000,
        title: 'a star',
        participants: ['wang'],
        tags: ['star'],
      },
    ]);
    expect(planRuleTriggers([rule], event)).toEqual(planRuleTriggers([rule], { ...event }));
  });

  it('may have a title of its own, and works without id and participant', () => {
    const [trigger] = planRuleTriggers([{ ...rule, title: 'Well done' }], { type: 'reward' });
    expect(trigger?.title).toBe('Well done');
    expect(trigger?.triggerId).toBeUndefined();
    expect(trigger?.participants).toBeUndefined();
  });

  it('is followed where the class is heard, but for what happened before the recording', () => {
    const { run, asked } = listen(withRules([rule]));
    run.emit('classEvent', event);
    run.emit('classEvent', { ...event, type: 'spotlight' });
    run.emit('classEvent', { ...event, eventId: 'old', atMs: CREATED_MS - AHEAD_MS - 1 });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      origin: 'rule',
      trigger: { triggerId: 'rule-0-reward-e1', atMs: CREATED_MS + 10_000 + AHEAD_MS },
    });
  });

  it.each([
    [{ on: 'Reward!' }, 'on'],
    [{ on: 'reward', beforeMs: 600_000 }, 'beforeMs'],
    [{ on: 'reward', beforeMs: 0, afterMs: 0 }, 'beforeMs'],
    [{ on: 'reward', participants: ['x'] }, 'participants'],
  ])('is refused as %j, naming %s', (bad, field) => {
    const result = recordingSettingsSchema.safeParse({ highlights: { rules: [bad] } });
    expect(JSON.stringify(result.error?.issues)).toContain(field);
  });
});
