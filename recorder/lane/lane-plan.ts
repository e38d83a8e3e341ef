import { ChalkreelError } from '../../src/errors.ts';
import { isFinal, type Recording } from '../../src/model/recording.ts';
import type { RecordingOutcome } from '../record.ts';

/** How a run ended: it began and ended somehow; it was stopped before; or it never began, and why. */
export type RunEnd = RecordingOutcome | 'stopped-before-start' | ChalkreelError;

/**
 * What a lane does after a run. `finish`: the recording is over. `again`: it goes on with another Chrome. `leave`: its worker ends, somebody
 * else goes on. `relieved`: somebody else does already.
 */
export type LaneStep = 'finish' | 'again' | 'leave' | 'relieved';

/** A recording that has begun is tried again for so long without a segment before it counts as failed. */
const PATIENCE_MS = 10 * 60_000;
/** One that has not begun fails sooner: whoever asked for it can do something. */
const START_ATTEMPTS = 3;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 10_000;
/** A run that lasted so long was a good one: the next failure counts as the first. */
export const GOOD_RUN_MS = 30_000;

export type LaneSituation = {
  readonly end: RunEnd;
  /** The recording has an origin: there is something that must go on. */
  readonly hasBegun: boolean;
  readonly isLeaseLost: boolean;
  /** The worker is to end, the recording is not. */
  readonly isLeaving: boolean;
  /** Its end was asked for, by whomever. */
  readonly isStopped: boolean;
  /** Failures in a row, this one included. */
  readonly failures: number;
  /** Since anything was recorded, or the lane was taken. */
  readonly idleMs: number;
};

/** Decides what comes after a run. */
export function planStep(situation: LaneSituation): LaneStep {
  const { end, hasBegun, isLeaseLost, isLeaving, isStopped, failures, idleMs } = situation;
  const failure = failureOf(end);
  if (isLeaseLost || failure?.code === 'ownership-lost') return 'relieved';
  if (isLeaving && !isStopped) return 'leave';
  if (failure === undefined || isStopped) return 'finish';
  if (hasBegun) return idleMs < PATIENCE_MS ? 'again' : 'finish';
  return failure.fault === 'input' || failures >= START_ATTEMPTS ? 'finish' : 'again';
}

/** How long to wait before the next Chrome, ms: none after a first failure. */
export function waitBeforeNext(failures: number): number {
  return failures <= 1 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (failures - 2), MAX_WAIT_MS);
}

/** Why a run failed; undefined when it did not. */
export function failureOf(end: RunEnd): ChalkreelError | undefined {
  if (end === 'stopped-before-start') return undefined;
  if (end instanceof ChalkreelError) return end;
  return 'failure' in end.end ? end.end.failure : undefined;
}

/** Whether a recording is to be ended, not recorded: a stop was asked for, or whoever ended it died before all was written. */
export function isToEnd({ state, stopRequestedAtMs }: Recording): boolean {
  return stopRequestedAtMs !== null || state === 'stopping' || isFinal(state);
}
