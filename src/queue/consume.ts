import { setMaxListeners } from 'node:events';
import { DelayedError, WaitingError, Worker } from 'bullmq';
import type { z } from 'zod';
import { withDeadline, type Closable } from '../lifecycle.ts';
import {
  HIGHLIGHTS_QUEUE,
  highlightJobSchema,
  RECORDINGS_QUEUE,
  recordingJobSchema,
  type HighlightJob,
  type RecordingJob,
} from '../protocol/jobs.ts';
import { closeRedis, type RedisConnection } from './connection.ts';
import type { Log } from '../log.ts';
import type { ConsumeOptions } from './services.ts';
import { QUEUE_PREFIX } from './work-queue.ts';

/** A worker that died is noticed when its lock lapses, at the next check. Its job may then be run by two, if it was only slow. */
type Patience = { readonly lockMs: number; readonly stalledCheckMs: number };
/** 15 s to 20 s after its last renewal. */
const RECORDING_PATIENCE: Patience = { lockMs: 15_000, stalledCheckMs: 5_000 };
/** 6 s to 9 s: somebody waits for a clip, and two that make one do no harm. */
const HIGHLIGHT_PATIENCE: Patience = { lockMs: 6_000, stalledCheckMs: 3_000 };
/** A job may outlive many workers; it is never given up for that. */
const MAX_STALLED_COUNT = 1_000_000;
/** A handler's wish to be run again: not a failed attempt, only too early. */
export type RetryLater = { readonly retryAfterMs: number };

/** After the handlers have returned, only bookkeeping is left. */
const CLOSE_TIMEOUT_MS = 5_000;

/** CONTRACT. A consumer of recordings: asked for jobs only while it has room. */
export type ConsumeRecordingsOptions = {
  readonly log: Log;
  readonly hasRoom: () => boolean;
  /** Begins a recording, no more: a job is done when somebody has its lease. */
  readonly handle: (job: RecordingJob) => Promise<void>;
};

/**
 * Takes recordings from the queue, one after the other, while there is room: say so by `roomChanged`. The handler must bear being run again for
 * a recording that another worker began. What comes when there is no room goes back to the others.
 */
export function consumeRecordings(
  redis: RedisConnection,
  { log, hasRoom, handle }: ConsumeRecordingsOptions,
): Closable & { roomChanged(): void } {
  const roomChanged = (): void => {
    // Errors are told by the worker's own event.
    if (hasRoom()) void consumer.worker.resume().catch(() => undefined);
    else void consumer.worker.pause(true).catch(() => undefined);
  };
  const consumer = consume(redis, {
    queue: RECORDINGS_QUEUE,
    schema: recordingJobSchema,
    concurrency: 1,
    log,
    patience: RECORDING_PATIENCE,
    mayTake: () => {
      // Otherwise what is handed back would come again at once.
      roomChanged();
      return hasRoom();
    },
    handle: async (job) => {
      await handle(job);
      return undefined;
    },
  });
  return { close: () => consumer.close(), roomChanged };
}

/** Takes highlights from the queue, when their windows are about to close. Same rules as for recordings. */
export function consumeHighlights(
  redis: RedisConnection,
  options: HandledLater<HighlightJob>,
): Closable {
  return consume(redis, {
    ...options,
    queue: HIGHLIGHTS_QUEUE,
    schema: highlightJobSchema,
    patience: HIGHLIGHT_PATIENCE,
  });
}

/** Options of a consumer whose handler may ask to be run again later. */
type HandledLater<Job> = Omit<ConsumeOptions<Job>, 'handle'> & {
  readonly handle: (job: Job, signal: AbortSignal) => Promise<RetryLater | undefined>;
};

type Consumption<Job> = HandledLater<Job> & {
  readonly queue: string;
  readonly schema: z.ZodType<Job>;
  readonly patience: Patience;
  /** False: what comes goes back to the others. */
  readonly mayTake?: () => boolean;
};

function consume<Job>(
  redis: RedisConnection,
  options: Consumption<Job>,
): Closable & { readonly worker: Worker } {
  const { queue, log, patience } = options;
  const closing = new AbortController();
  // Every job at work listens, and may have several things that do.
  setMaxListeners(0, closing.signal);
  const isClosing = (): boolean => closing.signal.aborted;
  const running = new Set<Promise<void>>();
  const connection = redis.openBlocking();
  const worker = new Worker(
    queue,
    async (job, token) => {
      // What we broke off ourselves is no failed attempt: the job goes back to the others, as it was.
      const handBack = async (): Promise<never> => {
        await job.moveToWait(token);
        throw new WaitingError();
      };
      // A fetch that was waiting when we paused may still bring one, even one just handed back.
      if (isClosing() || options.mayTake?.() === false) return handBack();
      const run = options.handle(options.schema.parse(job.data), closing.signal);
      const settled: Promise<void> = run
        .catch(() => undefined)
        .then(() => void running.delete(settled));
      running.add(settled);
      const later = await run.catch((error: unknown) => {
        if (!isClosing()) throw error;
        return handBack();
      });
      if (later === undefined) return;
      await job.moveToDelayed(Date.now() + later.retryAfterMs, token);
      throw new DelayedError();
    },
    {
      connection,
      prefix: QUEUE_PREFIX,
      concurrency: options.concurrency,
      lockDuration: patience.lockMs,
      stalledInterval: patience.stalledCheckMs,
      maxStalledCount: MAX_STALLED_COUNT,
    },
  );
  worker.on('failed', (job, error) => {
    log.warn({ err: error, job: job?.id, queue, attempt: job?.attemptsMade }, 'job failed');
  });
  worker.on('stalled', (job) => {
    log.warn({ job, queue }, 'job of a lost worker is taken over');
  });
  worker.on('error', (error) => {
    log.debug({ err: error, queue }, 'queue error');
  });
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    // Paused first, so that it does not take a job that is handed back.
    const paused = worker.pause(true);
    closing.abort(new Error('The worker is shutting down'));
    await paused.catch(() => undefined);
    while (running.size > 0) await Promise.all(running);
    await closeWorker(worker);
    await closeRedis(connection);
  };
  return { worker, close: () => (closed ??= close()) };
}

/** Without Redis a graceful close would wait for it; there is nothing left to be graceful about. */
async function closeWorker(worker: Worker): Promise<void> {
  const graceful = worker.close();
  await withDeadline(graceful, CLOSE_TIMEOUT_MS, () => new Error('close timed out')).catch(
    async () => {
      graceful.catch(() => undefined);
      await worker.close(true).catch(() => undefined);
    },
  );
}
