import { describe, expect, it } from 'vitest';
import {
  isToEnd,
  planStep,
  waitBeforeNext,
  type LaneSituation,
  type LaneStep,
} from '../../../recorder/lane/lane-plan.ts';
import type { RecordingOutcome } from '../../../recorder/record.ts';
import { ChalkreelError } from '../../../src/errors.ts';
import { sampleRecording } from '../../support/sample-records.ts';

const crashed = new ChalkreelError('browser-crashed', 'gone', { fault: 'dependency' });
const unreachable = new ChalkreelError('page-unreachable', 'no answer', { fault: 'input' });
const lost = new ChalkreelError('ownership-lost', 'another worker records now');
const ended = { end: { reason: 'page-ended' } } as RecordingOutcome;
const broken = { end: { failure: crashed } } as RecordingOutcome;
const RUNNING: LaneSituation = {
  end: ended,
  hasBegun: true,
  isLeaseLost: false,
  isLeaving: false,
  isStopped: false,
  failures: 1,
  idleMs: 0,
};

describe('what a lane does after a run', () => {
  const steps: readonly [string, Partial<LaneSituation>, LaneStep][] = [
    ['its end has come', {}, 'finish'],
    ['it was stopped before its first picture', { end: 'stopped-before-start' }, 'finish'],
    ['its Chrome died', { end: broken }, 'again'],
    ['its Chrome did not start', { end: crashed, failures: 9 }, 'again'],
    ['the page is away in the middle of a class', { end: unreachable }, 'again'],
    ['nothing came for ten minutes', { end: unreachable, idleMs: 600_000 }, 'finish'],
    ['the page never answered', { end: unreachable, hasBegun: false }, 'finish'],
    ['its first Chrome died', { end: crashed, hasBegun: false, failures: 2 }, 'again'],
    ['its third Chrome died', { end: crashed, hasBegun: false, failures: 3 }, 'finish'],
    ['its Chrome died while it was stopped', { end: broken, isStopped: true }, 'finish'],
    ['its worker ends', { end: ended, isLeaving: true }, 'leave'],
    ['its Chrome died while its worker ends', { end: broken, isLeaving: true }, 'leave'],
    ['its end has come and its worker ends', { isLeaving: true, isStopped: true }, 'finish'],
    ['somebody else has the lease', { end: broken, isLeaseLost: true }, 'relieved'],
    ['the fence refused it', { end: lost }, 'relieved'],
  ];
  it.each(steps)('when %s', (_, change, step) => {
    expect(planStep({ ...RUNNING, ...change })).toBe(step);
  });

  it('waits longer after each failure but the first, up to 10 s', () => {
    expect([1, 2, 3, 4, 9].map(waitBeforeNext)).toEqual([0, 500, 1000, 2000, 10_000]);
  });
});

it('knows a recording that is only to be ended', () => {
  expect(isToEnd(sampleRecording({ state: 'recording' }))).toBe(false);
  expect(isToEnd(sampleRecording({ state: 'recording', stopRequestedAtMs: 1 }))).toBe(true);
  expect(isToEnd(sampleRecording({ state: 'stopping' }))).toBe(true);
});
