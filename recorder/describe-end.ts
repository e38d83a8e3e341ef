import { ChalkreelError } from '../src/errors.ts';
import type { RecordingProgress } from '../src/model/progress.ts';
import type { Services } from '../src/queue/open-services.ts';
import type { RunEnd } from './lane/lane-plan.ts';
import type { RecordingOutcome, StopReason } from './record.ts';
import { retried } from './retried.ts';
import { stoppedOutcome } from './report/whole-recording.ts';

/** How a recording ended whose last run ended so: an outcome where anything was recorded, by whomever; else what kept it from beginning. */
export async function describeEnd(
  end: RunEnd,
  options: {
    readonly recordingId: string;
    readonly services: Pick<Services, 'recordings' | 'segments'>;
    /** Why its end was asked for, if it was. */
    readonly stopReason: StopReason | undefined;
    /** A run's numbers with those of all before. */
    readonly whole: (progress: RecordingProgress) => RecordingProgress;
    readonly signal: AbortSignal;
  },
): Promise<RecordingOutcome | ChalkreelError> {
  const { recordingId, services, stopReason, whole, signal } = options;
  // A Chrome that dies while it is being stopped is no failure of the recording.
  const reason = stopReason === undefined ? {} : { end: { reason: stopReason } };
  if (end !== 'stopped-before-start' && !(end instanceof ChalkreelError)) {
    return { ...end, ...reason, progress: whole(end.progress) };
  }
  const recording = await retried(() => services.recordings.get(recordingId), signal);
  const entries = await retried(() => services.segments.readAll(recordingId), signal);
  const progress = await retried(() => services.recordings.findProgress(recordingId), signal);
  const outcome = stoppedOutcome(recording, entries, progress);
  const failure = end instanceof ChalkreelError ? end : stoppedBeforeStart();
  if (outcome === undefined) return failure;
  return end instanceof ChalkreelError ? { ...outcome, end: { failure }, ...reason } : outcome;
}

function stoppedBeforeStart(): ChalkreelError {
  const message = 'the recording was stopped before its first picture';
  return new ChalkreelError('stopped-before-start', message, { fault: 'input' });
}
