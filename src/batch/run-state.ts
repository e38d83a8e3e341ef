import { asChalkreelError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Recording } from '../model/recording.ts';
import { enterRun, findOpenRun, type RunChange } from '../model/reencode-run.ts';
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
  let isFirst = false;
  await services.recordings.update(run.recordingId, (recording) => {
    const after = enterRun(recording, run.runId, {
      state: 'failed',
      endedAtMs: Math.round(clock.nowMs()),
      reason: failure.code,
      detail: failure.message,
    });
    isFirst = after !== recording;
    return after;
  });
  if (!isFirst) return;
  log.error({ event: 'reencode-failed', code: failure.code, ...failure.details, err: failure });
  await board.addTotals({ failed: 1 });
}
