import { asChalkreelError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Recording } from '../../model/recording.ts';
import {
  enterRun,
  findOpenRun,
  type ReencodeRun,
  type RunChange,
} from '../../model/reencode-run.ts';
import type { BatchParts } from './parts.ts';

export type StateParts = Pick<BatchParts, 'services' | 'board' | 'clock'>;

/** Changes an open run in its recording's record; does nothing when it is over. Resolves to whether it is still open. */
export async function changeRun(
  { recordingId, runId }: { readonly recordingId: string; readonly runId: string },
  change: RunChange,
  { services }: Pick<BatchParts, 'services'>,
): Promise<boolean> {
  const after = await services.recordings.update(recordingId, (recording) =>
    recording.deletedAtMs === undefined ? enterRun(recording, runId, change) : recording,
  );
  return isWanted(after, runId);
}

/** Whether there is still work to be done for a run. */
export function isWanted(recording: Recording, runId: string): boolean {
  return recording.deletedAtMs === undefined && findOpenRun(recording, runId) !== undefined;
}

/** Gives a run up: its source stays as it is, and what is left of its jobs finds nothing to do. May be repeated. */
export async function failRun(
  run: { readonly recordingId: string; readonly runId: string },
  error: unknown,
  { services, board, clock, log }: StateParts & { readonly log: Log },
): Promise<void> {
  const failure = asChalkreelError(error);
  const endedAtMs = Math.round(clock.nowMs());
  const changes: boolean[] = [];
  await services.recordings.update(run.recordingId, (recording) => {
    const end = { endedAtMs, reason: failure.code, detail: failure.message };
    const after = enterRun(recording, run.runId, { state: 'failed', ...end });
    changes.push(after !== recording);
    return after;
  });
  if (changes.at(-1) !== true) return;
  log.error({ event: 'reencode-failed', code: failure.code, ...failure.details, err: failure });
  await board.addTotals({ failed: 1 });
}

/** How often a run is planned anew because the whole was worse than its samples. */
const MAX_MISSES = 3;

/**
 * Puts another run in the place of one whose whole turned out below its target: it is planned again, for better. Resolves to false when that
 * makes no sense (the profile says the CRF), or was tried often enough. May be repeated.
 */
export async function replanRun(
  run: { readonly recordingId: string; readonly runId: string; readonly traceId: string },
  {
    services,
    board,
    newId,
    log,
  }: Pick<BatchParts, 'services' | 'board' | 'newId'> & { readonly log: Log },
): Promise<boolean> {
  const next = newId();
  const after = await services.recordings.update(run.recordingId, (recording) => {
    const known = findOpenRun(recording, run.runId);
    if (known === undefined || !mayMissAgain(known)) return recording;
    const anew = { ...known, id: next, state: 'waiting', misses: (known.misses ?? 0) + 1 } as const;
    const reencodes = (recording.reencodes ?? []).map((one) => (one === known ? anew : one));
    return { ...recording, reencodes };
  });
  const planned = findOpenRun(after, next);
  if (planned === undefined) return false;
  const { night, misses } = planned;
  log.info({ event: 'reencode-planned-anew', nextRunId: next, misses });
  if (night !== null) await board.addToNight(night, [{ ...run, runId: next }]);
  await services.batch.enqueuePlan({ ...run, runId: next }, { isUrgent: night === null });
  return true;
}

function mayMissAgain({ profile, misses = 0 }: ReencodeRun): boolean {
  return misses < MAX_MISSES && (profile.video?.crf ?? null) === null;
}
