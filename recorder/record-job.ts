import { rm } from 'node:fs/promises';
import { asChalkreelError, ChalkreelError } from '../src/errors.ts';
import { delay, Resources } from '../src/lifecycle.ts';
import type { Log } from '../src/log.ts';
import { readProgress } from '../src/model/progress.ts';
import { enterState, isFinal, type Recording } from '../src/model/recording.ts';
import { writeMediaPlaylist } from '../src/media/playlist.ts';
import type { HighlightTrigger } from '../src/protocol/highlight-trigger.ts';
import type { Services } from '../src/queue/open-services.ts';
import { objectKeys } from '../src/storage/keys.ts';
import { planFinalPlaylist } from '../src/storage/recording-playlist.ts';
import type { FleetClock } from './fleet-clock.ts';
import { openFleetPublisher } from './fleet-publisher.ts';
import type { PageServer } from './page-server.ts';
import { RecordingRun, type RecordingOutcome } from './record.ts';
import { leadInMs, tailPaddingMs, writeReport } from './report.ts';
import { stoppedOutcome, wholeOutcome, withEarlier, type EarlierWork } from './whole-recording.ts';

/** A recording outlives a Redis that is away for a while: bookkeeping is tried again this often, this long. */
const RETRY_MS = 500;
const RETRIES = 240;

export type RecordJobOptions = {
  readonly services: Services;
  readonly chromium: string;
  readonly pages: PageServer;
  readonly clock: FleetClock;
  readonly log: Log;
  readonly workDir: string;
  /** Aborts when the worker is to end: the recording stops at the next boundary. */
  readonly stopSignal: AbortSignal;
  /** Whether what `stopSignal` ends is to be gone on with by somebody else, instead of being over. */
  readonly isHandingOver: () => boolean;
};

/**
 * Makes one recording from the queue, from its first state to its last. May be called again for a recording whose
 * worker died: it goes on under a new epoch, or does nothing when the recording is over. Throws `handed-over` when the
 * worker ended before the recording did: the job is to be given to somebody else.
 */
export async function recordJob(recordingId: string, options: RecordJobOptions): Promise<void> {
  const { services, log } = options;
  const recording = await services.recordings.get(recordingId);
  if (isFinal(recording.state)) return;
  if (recording.stopRequestedAtMs !== null) {
    // Stopped while nobody recorded it: what there is, is the whole.
    const entries = await services.segments.readAll(recordingId);
    const progress = await services.recordings.findProgress(recordingId);
    const outcome = stoppedOutcome(recording, entries, progress) ?? stoppedBeforeStart();
    await finish(recordingId, options, outcome);
    return;
  }
  const resources = new Resources();
  try {
    resources.defer(() => rm(options.workDir, { recursive: true, force: true }));
    resources.use(await options.clock.join());
    await enter(recordingId, options, { state: 'starting' });
    const outcome = await run(recording, options, resources);
    await finish(recordingId, options, outcome);
  } catch (error) {
    const failure = asChalkreelError(error);
    if (failure.code === 'handed-over') throw failure;
    log.error({ event: 'recording-failed', code: failure.code, err: failure });
    // Somebody else records it now; its end is theirs to write.
    if (failure.code !== 'ownership-lost') await finish(recordingId, options, failure);
  } finally {
    await resources.close();
  }
}

async function run(
  recording: Recording,
  options: RecordJobOptions,
  resources: Resources,
): Promise<RecordingOutcome | ChalkreelError> {
  const { services, log, stopSignal, workDir, chromium, pages, clock } = options;
  const { id, source, settings } = recording;
  const epoch = await services.segments.openEpoch(id, 0);
  const giveUp = new AbortController();
  const run = new RecordingRun({
    source,
    settings,
    originMs: recording.originMs ?? undefined,
    chromium,
    workDir,
    pages,
    clock,
    log,
    publisher: openFleetPublisher({
      ...services,
      recordingId: id,
      lane: 0,
      epoch,
      log,
      signal: giveUp.signal,
    }),
  });
  const earlier: EarlierWork = {
    entries: await services.segments.readAll(id),
    progress: await services.recordings.findProgress(id),
  };
  listen(run, recording, earlier, options);
  const subscription = await services.recordings.subscribe(id, ({ stopRequestedAtMs, ...now }) => {
    run.changeSource(now.source);
    if (stopRequestedAtMs !== null) run.stop('stop-requested');
  });
  resources.use(subscription);
  const onStop = (): void => {
    run.stop('signal');
  };
  stopSignal.addEventListener('abort', onStop);
  resources.defer(() => {
    stopSignal.removeEventListener('abort', onStop);
  });
  if (stopSignal.aborted) onStop();
  const outcome = await run.run();
  if (outcome !== 'stopped-before-start') {
    if (reasonOf(outcome) === 'signal' && options.isHandingOver()) throw handedOver(id);
    return { ...outcome, progress: withEarlier(outcome.progress, earlier) };
  }
  // Not begun and not called off: it waits in the queue, as it did before.
  const { stopRequestedAtMs } = await retried(() => services.recordings.get(id));
  if (stopSignal.aborted && stopRequestedAtMs === null) throw handedOver(id);
  return stoppedBeforeStart();
}

/** Writes down what happens in a running recording. Trouble with that never ends it. */
function listen(
  run: RecordingRun,
  recording: Recording,
  earlier: EarlierWork,
  options: RecordJobOptions,
): void {
  const { services, log, clock } = options;
  const { id } = recording;
  const write = (work: Promise<unknown>, what: string): void => {
    work.catch((error: unknown) => {
      log.warn({ event: 'not-written', what, err: error });
    });
  };
  run.on('started', (origin) => {
    const start = (present: Recording): Recording => ({
      ...enterState(present, {
        state: 'recording',
        atMs: Math.round(clock.nowMs()),
        detail: `ready by ${origin.readiness}`,
      }),
      originMs: present.originMs ?? origin.originMs,
      leadInMs: present.leadInMs ?? leadInMs(origin),
    });
    write(
      retried(() => services.recordings.update(id, start)),
      'start',
    );
  });
  run.on('stopping', (reason) => {
    if (reason === 'signal' && options.isHandingOver()) return;
    write(enter(id, options, { state: 'stopping', reason }), 'stop');
  });
  run.on('progress', (ofRun) => {
    const progress = withEarlier(ofRun, earlier);
    log.debug({ event: 'progress', ...readProgress(progress) });
    write(services.recordings.setProgress(id, progress), 'progress');
  });
  run.on('warning', (warning) => {
    log.warn({ event: 'warning', warning });
    const add = (r: Recording): Recording => ({ ...r, warnings: [...r.warnings, warning] });
    write(services.recordings.update(id, add), 'warning');
  });
  run.on('highlight', (trigger: HighlightTrigger) => {
    const origin = recording.source.kind === 'classroom' ? 'signalling' : 'page';
    write(services.requestHighlight(id, trigger, origin), 'highlight');
  });
}

/** Final playlist and report first, then the final state: who sees the state finds the files. */
async function finish(
  id: string,
  options: RecordJobOptions,
  outcome: RecordingOutcome | ChalkreelError,
): Promise<void> {
  const { services, clock, log } = options;
  const failure = failureOf(outcome);
  let tailMs: number | null = null;
  if (!(outcome instanceof ChalkreelError)) {
    const recording = await retried(() => services.recordings.get(id));
    const entries = await retried(() => services.segments.readAll(id));
    const whole = wholeOutcome(outcome, recording, entries);
    const report = Buffer.from(writeReport(recording.settings, whole));
    await retried(() => services.store.put(objectKeys.report(id), report));
    await retried(() => services.recordings.setProgress(id, whole.progress));
    tailMs = tailPaddingMs(whole);
  }
  await retried(() => writeFinalPlaylist(id, services));
  const end = (present: Recording): Recording => ({
    ...enterState(present, {
      state: failure === undefined ? 'completed' : 'failed',
      atMs: Math.round(clock.nowMs()),
      reason: failure?.code ?? reasonOf(outcome),
      detail: failure?.message,
    }),
    tailPaddingMs: tailMs,
  });
  const { state } = await retried(() => services.recordings.update(id, end));
  log.info({
    event: 'recording-ended',
    state,
    reason: failure?.code ?? reasonOf(outcome),
    ...(outcome instanceof ChalkreelError ? {} : readProgress(outcome.progress)),
  });
}

async function writeFinalPlaylist(id: string, services: Services): Promise<void> {
  const recording = await services.recordings.get(id);
  const entries = await services.segments.readAll(id);
  const plan = planFinalPlaylist(entries, recording);
  if (plan === undefined) return;
  const text = writeMediaPlaylist(plan);
  await services.store.put(objectKeys.playlist(id), Buffer.from(text));
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

async function enter(
  id: string,
  { services, clock }: RecordJobOptions,
  change: { readonly state: Recording['state']; readonly reason?: string },
): Promise<void> {
  const atMs = Math.round(clock.nowMs());
  await retried(() => services.recordings.update(id, (r) => enterState(r, { ...change, atMs })));
}

function handedOver(id: string): ChalkreelError {
  return new ChalkreelError('handed-over', `recording ${id} waits for another worker`);
}

function stoppedBeforeStart(): ChalkreelError {
  const message = 'the recording was stopped before its first picture';
  return new ChalkreelError('stopped-before-start', message, { fault: 'input' });
}

/** Repeats what failed for want of Redis or storage. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      const isOurs = error instanceof ChalkreelError && !error.retryable;
      if (isOurs || tries === RETRIES) throw error;
      await delay(RETRY_MS);
    }
  }
}
