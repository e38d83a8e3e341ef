import { setMaxListeners } from 'node:events';
import { DelayedError, UnrecoverableError, WaitingError, Worker, type Job } from 'bullmq';
import { asChalkreelError } from '../errors.ts';
import { withDeadline, type Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { BATCH_QUEUE, batchJobSchema, type BatchJob } from '../protocol/jobs.ts';
import { BATCH_ATTEMPTS } from './batch-queue.ts';
import { closeRedis, type RedisConnection } from './connection.ts';
import { QUEUE_PREFIX } from './work-queue.ts';

/** Workers may die with a chunk in their hands so often; more than that, and it is the chunk that kills them. */
const MAX_STALLED_COUNT = 25;
/** Of the lock: how often is looked for workers that died. */
const STALLED_CHECKS_PER_LOCK = 3;
/** After the handlers have returned, only bookkeeping is left. */
const CLOSE_TIMEOUT_MS = 5_000;

/** How a job came out: what its parent is told, or when it is to be tried again, which is no failure. */
export type BatchOutcome = { readonly result: unknown } | { readonly retryAfterMs: number };

/** What a handler may know and do about the job it has. */
export type BatchJobContext = {
  /** Aborts when the job is lost to another worker, or this one closes. */
  readonly signal: AbortSignal;
  /** 1 for the first. */
  readonly attempt: number;
  readonly isLastAttempt: boolean;
  /** Keeps with a chunk's job that it failed here. */
  noteFailure(worker: string, atMs: number): Promise<void>;
  /** Of a run's last job: what its chunks came to, and why chunks were given up. */
  readChunks(): Promise<{
    readonly results: readonly unknown[];
    readonly failures: readonly string[];
  }>;
  /** Takes away its chunks that nobody works on; resolves to whether any are still at work. It cannot end before they have. */
  dropChunks(): Promise<boolean>;
};

export type ConsumeBatchOptions = {
  readonly log: Log;
  readonly concurrency: number;
  /** A worker that is silent for so long has died. */
  readonly lockMs: number;
  /** False: what comes goes back to the others. */
  readonly mayTake: () => boolean;
  readonly handle: (job: BatchJob, context: BatchJobContext) => Promise<BatchOutcome>;
};

/** A consumer of batch jobs. */
export type BatchConsumer = Closable & {
  /** `mayTake` has another answer now. */
  mayTakeChanged(): void;
  /** Jobs at work. */
  readonly busy: () => number;
};

/**
 * Takes jobs of the batch from the queue. A handler that throws is run again, by whoever is free, 3 times in all; what an `input` error says
 * will not become true by repeating it. Closing hands back what is at work.
 */
export function consumeBatch(redis: RedisConnection, options: ConsumeBatchOptions): BatchConsumer {
  const { log, lockMs } = options;
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const isClosing = (): boolean => closing.signal.aborted;
  const running = new Map<string, AbortController>();
  const idle = new Set<Promise<unknown>>();
  const connection = redis.openBlocking();
  const process = async (job: Job<unknown>, token?: string): Promise<unknown> => {
    const lost = new AbortController();
    const id = String(job.id);
    const handBack = async (): Promise<never> => {
      await job.moveToWait(token);
      throw new WaitingError();
    };
    // A fetch that was waiting when we paused may still bring one; paused, or what is handed back would come again at once.
    if (isClosing()) return handBack();
    if (!options.mayTake()) {
      mayTakeChanged();
      return handBack();
    }
    running.set(id, lost);
    try {
      const signal = AbortSignal.any([closing.signal, lost.signal]);
      setMaxListeners(0, signal);
      const outcome = await options.handle(batchJobSchema.parse(job.data), contextOf(job, signal));
      if ('result' in outcome) return outcome.result;
      await job.moveToDelayed(Date.now() + outcome.retryAfterMs, token);
      throw new DelayedError();
    } catch (error) {
      if (error instanceof DelayedError) throw error;
      // What we broke off ourselves is no failed attempt: the job goes back to the others, as it was.
      if (isClosing() && !lost.signal.aborted) return await handBack();
      throw asRetried(error);
    } finally {
      if (running.get(id) === lost) running.delete(id);
    }
  };
  const worker = new Worker(
    BATCH_QUEUE,
    (job, token) => {
      const run = process(job, token);
      const settled: Promise<unknown> = run
        .catch(() => undefined)
        .finally(() => idle.delete(settled));
      idle.add(settled);
      return run;
    },
    {
      connection,
      prefix: QUEUE_PREFIX,
      concurrency: options.concurrency,
      lockDuration: lockMs,
      stalledInterval: Math.ceil(lockMs / STALLED_CHECKS_PER_LOCK),
      maxStalledCount: MAX_STALLED_COUNT,
    },
  );
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) running.get(id)?.abort(new Error('The job is another worker’s now'));
  });
  worker.on('stalled', (job) => log.warn({ event: 'batch-job-taken-over', job }));
  worker.on('error', (error) => log.debug({ err: error, queue: BATCH_QUEUE }, 'queue error'));
  const mayTakeChanged = (): void => {
    if (isClosing()) return;
    // Errors are told by the worker's own event.
    if (options.mayTake()) void worker.resume().catch(() => undefined);
    else void worker.pause(true).catch(() => undefined);
  };
  const close = async (): Promise<void> => {
    const paused = worker.pause(true);
    closing.abort(new Error('The worker is shutting down'));
    await paused.catch(() => undefined);
    while (idle.size > 0) await Promise.all(idle);
    const graceful = worker.close();
    await withDeadline(graceful, CLOSE_TIMEOUT_MS, () => new Error('close timed out')).catch(
      async () => {
        graceful.catch(() => undefined);
        await worker.close(true).catch(() => undefined);
      },
    );
    await closeRedis(connection);
  };
  let closed: Promise<void> | undefined;
  return { mayTakeChanged, busy: () => running.size, close: () => (closed ??= close()) };
}

function contextOf(job: Job<unknown>, signal: AbortSignal): BatchJobContext {
  const attempt = job.attemptsMade + 1;
  return {
    signal,
    attempt,
    isLastAttempt: attempt >= BATCH_ATTEMPTS,
    async noteFailure(worker, atMs) {
      const data = batchJobSchema.parse(job.data);
      if (data.kind !== 'chunk') return;
      const failedBy = [...new Set([...data.failedBy, worker])];
      await job.updateData({ ...data, failedBy, failedAtMs: atMs });
    },
    async readChunks() {
      const [values, failures] = await Promise.all([
        job.getChildrenValues<unknown>(),
        job.getIgnoredChildrenFailures(),
      ]);
      return { results: Object.values(values), failures: Object.values(failures) };
    },
    async dropChunks() {
      await job.removeUnprocessedChildren();
      const { unprocessed = 0 } = await job.getDependenciesCount({ unprocessed: true });
      return unprocessed > 0;
    },
  };
}

/** The same error, as the queue understands it. */
function asRetried(error: unknown): Error {
  const failure = asChalkreelError(error);
  return failure.fault === 'input' ? new UnrecoverableError(failure.message) : failure;
}
