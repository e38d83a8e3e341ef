import { ChalkreelError, inputError } from '../errors.ts';
import type { Log } from '../log.ts';
import { isFinal, traceOf, type Recording } from '../model/recording.ts';
import type { ReencodeProfile } from '../model/reencode.ts';
import {
  isOpenRun,
  isSameProfile,
  type ReencodeOrigin,
  type ReencodeRun,
} from '../model/reencode-run.ts';
import type { RecordingRepository } from '../storage/records/recording-repository.ts';
import type { SegmentIndex } from '../storage/index/segment-index.ts';
import type { BatchQueue } from './batch-queue.ts';

export type ReencodeServices = {
  readonly recordings: RecordingRepository;
  readonly segments: Pick<SegmentIndex, 'findLast'>;
  readonly batch: BatchQueue;
  readonly log: Log;
  /** Makes ids for runs, and traces for recordings that have none. */
  readonly newId: () => string;
};

/** A wish to re-encode a recording. */
export type ReencodeWish = {
  readonly profiles: readonly ReencodeProfile[];
  readonly origin: ReencodeOrigin;
  /** The night it belongs to; null: at once. */
  readonly night: string | null;
  /** Also what has been re-encoded into the same before. */
  readonly force?: boolean | undefined;
  readonly nowMs: number;
};

/** Why a night's runs were cancelled with it: the next night may ask for them again. */
export const NIGHT_CANCELLED = 'night-cancelled';

/**
 * Asks for a recording's re-encode into some profiles: stored in its record first, so that it is found again whatever is lost. What is under
 * way, or was completed with the same settings, is not begun anew. Resolves to the recording, and whether anything new was asked for. Throws
 * `recording-not-found`, `recording-not-final`, `nothing-recorded`, or `reencode-running` when a profile is under way with other settings.
 */
export async function requestReencode(
  recordingId: string,
  wish: ReencodeWish,
  services: ReencodeServices,
): Promise<{ readonly recording: Recording; readonly isNew: boolean }> {
  const { recordings, batch, log } = services;
  await assertRecorded(recordingId, services);
  let asked: readonly string[] = [];
  const recording = await recordings.update(recordingId, (present) => {
    assertFinal(present);
    const { reencodes, ids } = planRuns(present.reencodes ?? [], wish, services.newId);
    asked = ids;
    if (reencodes === present.reencodes) return present;
    return { ...present, traceId: present.traceId ?? services.newId(), reencodes };
  });
  const traceId = traceOf(recording);
  for (const run of recording.reencodes?.filter(isOpenRun) ?? []) {
    if (!wish.profiles.some(({ name }) => name === run.profile.name)) continue;
    const isUrgent = run.night === null;
    await batch.enqueuePlan({ recordingId, runId: run.id, traceId }, { isUrgent });
    if (!asked.includes(run.id)) continue;
    const { origin, night } = run;
    const profile = run.profile.name;
    const told = { recordingId, traceId, runId: run.id, profile, origin, night };
    log.info({ event: 'reencode-requested', ...told });
  }
  return { recording, isNew: asked.length > 0 };
}

/** Calls off what is under way of a recording, or of one of its runs. May be repeated. Throws `recording-not-found`. */
export async function cancelReencode(
  recordingId: string,
  options: {
    readonly reason: string;
    readonly nowMs: number;
    readonly runId?: string | undefined;
  },
  { recordings, batch, log }: Pick<ReencodeServices, 'recordings' | 'batch' | 'log'>,
): Promise<{ readonly recording: Recording; readonly cancelled: readonly string[] }> {
  let cancelled: readonly string[] = [];
  const isMeant = (run: ReencodeRun): boolean =>
    isOpenRun(run) && (options.runId === undefined || run.id === options.runId);
  const recording = await recordings.update(recordingId, (present) => {
    const { reencodes = [] } = present;
    cancelled = reencodes.filter(isMeant).map(({ id }) => id);
    if (cancelled.length === 0) return present;
    const end = { state: 'cancelled', endedAtMs: options.nowMs, reason: options.reason } as const;
    return {
      ...present,
      reencodes: reencodes.map((run) => (isMeant(run) ? { ...run, ...end } : run)),
    };
  });
  for (const runId of cancelled) {
    const told = { recordingId, runId, traceId: traceOf(recording), reason: options.reason };
    log.info({ event: 'reencode-cancelled', ...told });
    await batch.dropJobs(runId);
  }
  return { recording, cancelled };
}

/** The runs as they are to be, newest of each profile; the same array when nothing is to be asked for. */
export function planRuns(
  present: readonly ReencodeRun[],
  wish: ReencodeWish,
  newId: () => string,
): { readonly reencodes: readonly ReencodeRun[]; readonly ids: readonly string[] } {
  const runs = new Map(present.map((run) => [run.profile.name, run]));
  const ids: string[] = [];
  let isChanged = false;
  for (const profile of wish.profiles) {
    const known = runs.get(profile.name);
    const next = planRun(known, profile, wish, newId);
    if (next === known) continue;
    isChanged = true;
    if (next.id !== known?.id) ids.push(next.id);
    runs.set(profile.name, next);
  }
  return { reencodes: isChanged ? [...runs.values()] : present, ids };
}

function planRun(
  known: ReencodeRun | undefined,
  profile: ReencodeProfile,
  { origin, night, force, nowMs }: ReencodeWish,
  newId: () => string,
): ReencodeRun {
  const isSame = known !== undefined && isSameProfile(known.profile, profile);
  if (known !== undefined && isOpenRun(known)) {
    if (!isSame) throw running(profile.name);
    // Who does not want to wait for a night is heard, though another would.
    return known.night === null || known.night === night ? known : { ...known, night };
  }
  if (known?.state === 'completed' && isSame && force !== true) return known;
  return {
    id: newId(),
    profile,
    origin,
    night,
    state: 'waiting',
    requestedAtMs: nowMs,
    startedAtMs: null,
    endedAtMs: null,
    failures: failuresBefore(known, isSame),
  };
}

function failuresBefore(known: ReencodeRun | undefined, isSame: boolean): number {
  if (known === undefined || !isSame || known.state === 'completed') return 0;
  return known.failures + (known.state === 'failed' ? 1 : 0);
}

async function assertRecorded(
  id: string,
  { recordings, segments }: Pick<ReencodeServices, 'recordings' | 'segments'>,
): Promise<void> {
  const recording = await recordings.get(id);
  assertFinal(recording);
  if (recording.originMs === null || (await segments.findLast(id)) === undefined) {
    throw inputError('id', `Recording ${id} has no media`, 'nothing-recorded');
  }
}

function assertFinal({ id, state, deletedAtMs }: Recording): void {
  if (deletedAtMs !== undefined) {
    throw inputError('id', `There is no recording ${id}`, 'recording-not-found');
  }
  if (isFinal(state)) return;
  throw new ChalkreelError(
    'recording-not-final',
    `Recording ${id} is ${state}: it can be re-encoded when it is over`,
    { fault: 'input', details: { field: 'id' } },
  );
}

function running(name: string): ChalkreelError {
  return inputError(
    'profiles',
    `Profile ${name} is under way with other settings: cancel that first, or give this one another name`,
    'reencode-running',
  );
}
