import { FlowProducer, Queue, type FlowJobNode, type JobsOptions } from 'bullmq';
import type { Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { Night } from '../model/night.ts';
import type { Chunk, ChunkSettings } from '../model/reencode.ts';
import { BATCH_QUEUE, NIGHTS_QUEUE, type BatchJob } from '../protocol/jobs.ts';
import { closeRedis, type RedisConnection } from './connection.ts';
import { QUEUE_PREFIX } from './work-queue.ts';

/** A run's jobs belong to it by name. */
export type RunRef = {
  readonly recordingId: string;
  readonly runId: string;
  readonly traceId: string;
};

/** What stands of a run in the queue. `failed`: one of its jobs was given up; `missing`: it has none. */
export type RunJobs =
  { readonly state: 'there' | 'missing' } | { readonly state: 'failed'; readonly detail: string };

/** CONTRACT. The producer side of the batch: everything may be repeated, and is done once. */
export type BatchQueue = Closable & {
  /** Asks some worker to plan a run. `isUrgent`: before the night's. */
  enqueuePlan(run: RunRef, options: { readonly isUrgent: boolean }): Promise<void>;
  /** Asks for a run's chunks, longest first, and for its end when all are there, or one is given up. In one step. */
  enqueueChunks(
    run: RunRef,
    chunks: readonly { readonly chunk: Chunk; readonly settings: ChunkSettings }[],
    options: { readonly isUrgent: boolean },
  ): Promise<void>;
  /** Asks for a night to be begun, by whichever worker, once for its date. */
  enqueueNight(night: Night): Promise<void>;
  /** Whether a run's chunks have been asked for. */
  hasChunks(runId: string): Promise<boolean>;
  findJobs(runId: string): Promise<RunJobs>;
  /** Jobs of a run that wait for their time need not any more: the night has come. */
  wakeRun(runId: string): Promise<void>;
  /** Takes away the jobs of a run that nobody works on; who works on one notices by the recording's record. */
  dropJobs(runId: string): Promise<void>;
};

/** How often a job is tried, whatever it fails of, before it is given up. */
export const BATCH_ATTEMPTS = 3;
/** Between two tries: what was in the way may pass. */
const RETRY_DELAY_MS = 500;
const TRIES: JobsOptions = {
  attempts: BATCH_ATTEMPTS,
  backoff: { type: 'fixed', delay: RETRY_DELAY_MS },
  removeOnComplete: true,
  removeOnFail: { age: 86_400 },
};

/** A night's job is remembered longer than any night may last, so that its name is not taken again. */
const REMEMBERED = { age: 7 * 86_400 };
const NIGHT_TRIES: JobsOptions = {
  attempts: 10,
  backoff: { type: 'exponential', delay: 1000 },
  removeOnComplete: REMEMBERED,
  removeOnFail: REMEMBERED,
};

/** Lower comes first; the most BullMQ knows is 2^21. What ends a run comes before what begins another one. */
const PRIORITY = {
  finish: 1,
  urgentPlan: 2,
  urgentChunk: 10,
  chunk: 1_000_000,
  plan: 2_000_000,
} as const;
/** Longer chunks than this are all equally long. */
const MAX_CHUNK_SEGMENTS = 900_000;

/** Opens the producer side of the batch; nothing is connected before it is used. Closing leaves `redis` open. */
export function openBatchQueue(redis: RedisConnection, log: Log): BatchQueue {
  let opened: Opened | undefined;
  const open = (): Opened => (opened ??= connect(redis, log));
  return {
    async enqueuePlan(run, { isUrgent }) {
      const priority = isUrgent ? PRIORITY.urgentPlan : PRIORITY.plan;
      const job: BatchJob = { kind: 'plan', ...run };
      await open().queue.add('plan', job, { ...TRIES, jobId: jobIds.plan(run.runId), priority });
    },
    async enqueueChunks(run, chunks, { isUrgent }) {
      const finish: BatchJob = { kind: 'finish', ...run };
      await open().flows.add({
        name: 'finish',
        queueName: BATCH_QUEUE,
        prefix: QUEUE_PREFIX,
        data: finish,
        opts: { ...TRIES, jobId: jobIds.finish(run.runId), priority: PRIORITY.finish },
        children: chunks.map((one) => describeChunk(run, one, isUrgent)),
      });
    },
    async enqueueNight(night) {
      const jobId = `night-${night.date}`;
      await open().nights.add('begin', night, { ...NIGHT_TRIES, jobId });
    },
    async hasChunks(runId) {
      return (await open().queue.getJob(jobIds.finish(runId))) !== undefined;
    },
    findJobs: (runId) => findJobs(open().queue, runId),
    wakeRun: (runId) => wakeRun(open().queue, runId),
    dropJobs: (runId) => dropJobs(open().queue, runId),
    async close() {
      if (opened === undefined) return;
      await Promise.allSettled([opened.queue.close(), opened.nights.close(), opened.flows.close()]);
      await closeRedis(opened.connection);
    },
  };
}

type Opened = {
  readonly queue: Queue<BatchJob>;
  readonly nights: Queue<Night>;
  readonly flows: FlowProducer;
  readonly connection: RedisConnection['client'];
};

const jobIds = {
  plan: (runId: string) => `${runId}-plan`,
  chunk: (runId: string, index: number) => `${runId}-chunk-${index}`,
  finish: (runId: string) => `${runId}-finish`,
};

function connect(redis: RedisConnection, log: Log): Opened {
  const connection = redis.client.duplicate();
  connection.on('error', () => undefined); // told by the connection it was copied from
  const options = { connection, prefix: QUEUE_PREFIX };
  const queue = new Queue<BatchJob>(BATCH_QUEUE, options);
  const nights = new Queue<Night>(NIGHTS_QUEUE, options);
  const flows = new FlowProducer(options);
  const onError = (error: Error): void => {
    log.debug({ err: error, queue: BATCH_QUEUE }, 'queue error');
  };
  queue.on('error', onError);
  nights.on('error', onError);
  flows.on('error', onError);
  return { queue, nights, flows, connection };
}

function describeChunk(
  run: RunRef,
  { chunk, settings }: { readonly chunk: Chunk; readonly settings: ChunkSettings },
  isUrgent: boolean,
): FlowJobNode {
  const base = isUrgent ? PRIORITY.urgentChunk : PRIORITY.chunk;
  const length = Math.min(chunk.segments.length, MAX_CHUNK_SEGMENTS);
  return {
    name: 'chunk',
    queueName: BATCH_QUEUE,
    prefix: QUEUE_PREFIX,
    data: { kind: 'chunk', ...run, chunk, settings },
    opts: {
      ...TRIES,
      jobId: jobIds.chunk(run.runId, chunk.index),
      priority: base + MAX_CHUNK_SEGMENTS - length,
      // Or the parent would wait for ever; and it need not wait for the others.
      continueParentOnFailure: true,
    },
  };
}

async function findJobs(queue: Queue<BatchJob>, runId: string): Promise<RunJobs> {
  // In the order in which they are made.
  for (const id of [jobIds.plan(runId), jobIds.finish(runId)]) {
    const job = await queue.getJob(id);
    if (job === undefined) continue;
    if (await job.isFailed()) return { state: 'failed', detail: job.failedReason };
    return { state: 'there' };
  }
  return { state: 'missing' };
}

async function wakeRun(queue: Queue<BatchJob>, runId: string): Promise<void> {
  const finish = await queue.getJob(jobIds.finish(runId));
  const { unprocessed = [] } = (await finish?.getDependencies()) ?? {};
  const chunks = unprocessed.map((key) => key.slice(key.lastIndexOf(':') + 1));
  for (const id of [jobIds.plan(runId), jobIds.finish(runId), ...chunks]) {
    const job = await queue.getJob(id);
    // One that has just been woken, or is at work, does not wait.
    if (await job?.isDelayed()) await job?.promote().catch(() => undefined);
  }
}

async function dropJobs(queue: Queue<BatchJob>, runId: string): Promise<void> {
  const plan = await queue.getJob(jobIds.plan(runId));
  // One that is at work cannot be removed, nor its parent: they end by themselves, and find nothing to do.
  await plan?.remove().catch(() => undefined);
  const finish = await queue.getJob(jobIds.finish(runId));
  if (finish === undefined) return;
  await finish.removeUnprocessedChildren();
  await finish.remove().catch(() => undefined);
}
