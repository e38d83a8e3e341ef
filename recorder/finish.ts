import { ChalkreelError } from '../src/errors.ts';
import type { Log } from '../src/log.ts';
import { writeMediaPlaylist } from '../src/media/playlist.ts';
import { readProgress } from '../src/model/progress.ts';
import { enterState, type Recording } from '../src/model/recording.ts';
import type { Services } from '../src/queue/open-services.ts';
import { finishEventLog } from '../src/storage/events/event-log.ts';
import { objectKeys } from '../src/storage/keys.ts';
import { planFinalPlaylist } from '../src/storage/recording-playlist.ts';
import type { RecordingOutcome } from './record.ts';
import { tailPaddingMs, writeReport } from './report/report.ts';
import { retried } from './retried.ts';
import { wholeOutcome } from './report/whole-recording.ts';

export type FinishOptions = {
  readonly services: Pick<Services, 'recordings' | 'segments' | 'store'>;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Aborts when the end is somebody else's to write. */
  readonly signal?: AbortSignal;
};

/**
 * Writes a recording's end: final playlist and report first, then the final state, so that who sees the state finds the files. May be
 * repeated, by whichever worker.
 */
export async function finishRecording(
  id: string,
  outcome: RecordingOutcome | ChalkreelError,
  { services, nowMs, log, signal }: FinishOptions,
): Promise<void> {
  const { recordings, segments, store } = services;
  const failure = failureOf(outcome);
  let tailMs: number | null = null;
  if (!(outcome instanceof ChalkreelError)) {
    const recording = await retried(() => recordings.get(id), signal);
    const entries = await retried(() => segments.readAll(id), signal);
    const whole = wholeOutcome(outcome, recording, entries);
    const report = Buffer.from(writeReport(recording.settings, whole, recording));
    await retried(() => store.put(objectKeys.report(id), report), signal);
    await retried(() => finishEventLog(store, recording), signal);
    await retried(() => recordings.setProgress(id, whole.progress), signal);
    tailMs = tailPaddingMs(whole);
  }
  await retried(() => writeFinalPlaylist(id, services), signal);
  const end = (present: Recording): Recording => ({
    ...enterState(present, {
      state: failure === undefined ? 'completed' : 'failed',
      atMs: Math.round(nowMs()),
      reason: failure?.code ?? reasonOf(outcome),
      detail: failure?.message,
    }),
    tailPaddingMs: tailMs,
  });
  const { state } = await retried(() => recordings.update(id, end), signal);
  log.info({
    event: 'recording-ended',
    state,
    reason: failure?.code ?? reasonOf(outcome),
    ...(outcome instanceof ChalkreelError ? {} : readProgress(outcome.progress)),
  });
}

/** Writes the playlist of all there is; nothing when nothing was recorded. */
export async function writeFinalPlaylist(
  id: string,
  { recordings, segments, store }: Pick<Services, 'recordings' | 'segments' | 'store'>,
): Promise<void> {
  const recording = await recordings.get(id);
  const plan = planFinalPlaylist(await segments.readAll(id), recording);
  if (plan === undefined) return;
  await store.put(objectKeys.playlist(id), Buffer.from(writeMediaPlaylist(plan)));
}

function failureOf(outcome: RecordingOutcome | ChalkreelError): ChalkreelError | undefined {
  if (outcome instanceof ChalkreelError) return outcome;
  return 'failure' in outcome.end ? outcome.end.failure : undefined;
}

function reasonOf(outcome: RecordingOutcome | ChalkreelError): string | undefined {
  return !(outcome instanceof ChalkreelError) && 'reason' in outcome.end
    ? outcome.end.reason
    : undefined;
}
