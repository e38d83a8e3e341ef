import { Queue, type JobsOptions } from 'bullmq';
import type { Log } from '../log.ts';
import {
  HIGHLIGHTS_QUEUE,
  RECORDINGS_QUEUE,
  type HighlightJob,
  type RecordingJob,
} from '../protocol/jobs.ts';
import { closeRedis, type RedisConnection } from './connection.ts';
import type { WorkQueue } from './services.ts';

/** BullMQ's keys, beside ours. */
export const QUEUE_PREFIX = 'chalkreel:queue';

/** So long before its window ends a clip is begun: head and poster are made and most of it is written when its last segment comes. */
export const PREPARE_LEAD_MS = 3000;

/** A handler that throws is tried again: it looks at the record's state first, so a second run does no harm. */
const RETRIES: JobsOptions = { attempts: 5, backoff: { type: 'exponential', delay: 500 } };

/** Finished jobs are forgotten: the truth about them is in the repositories. Failed ones are kept to be looked at. */
const RETENTION: JobsOptions = { removeOnComplete: true, removeOnFail: { age: 7 * 86_400 } };

/**
 * Opens the producer side of the queue. A job is named by its record's id, so asking twice is one job.
 * Fails like any command when Redis is away. Closing leaves `redis` open.
 */
export function openWorkQueue(redis: RedisConnection, log: Log): WorkQueue {
  // A connection of its own: BullMQ defines its scripts on what it is given.
  const connection = redis.client.duplicate();
  connection.on('error', () => undefined); // told by the connection it was copied from
  const options = { connection, prefix: QUEUE_PREFIX };
  const recordings = new Queue<RecordingJob>(RECORDINGS_QUEUE, options);
  const highlights = new Queue<HighlightJob>(HIGHLIGHTS_QUEUE, options);
  for (const queue of [recordings, highlights]) {
    queue.on('error', (error) => {
      log.debug({ err: error, queue: queue.name }, 'queue error');
    });
  }
  return {
    async enqueueRecording(recordingId) {
      await recordings.add('record', { recordingId }, jobOptions(recordingId));
    },
    async enqueueHighlight(highlightId, { windowEndMs }) {
      const delay = delayUntil(windowEndMs);
      await highlights.add('assemble', { highlightId }, { ...jobOptions(highlightId), delay });
    },
    async postponeHighlight(highlightId, { windowEndMs }) {
      const job = await highlights.getJob(highlightId);
      if (!(await job?.isDelayed())) return;
      // It may have become due this moment: then whoever has it waits for the rest of the window.
      await job?.changeDelay(delayUntil(windowEndMs)).catch(() => undefined);
    },
    findLostHighlights: (ids) => findLost(highlights, connection, ids),
    async close() {
      await Promise.allSettled([recordings.close(), highlights.close()]);
      await closeRedis(connection);
    },
  };
}

function delayUntil(windowEndMs: number): number {
  return Math.max(0, Math.ceil(windowEndMs - PREPARE_LEAD_MS - Date.now()));
}

/** Jobs given up are taken away, or asking again would do nothing: a job is named by its record's id. */
async function findLost(
  queue: Queue<HighlightJob>,
  client: RedisConnection['client'],
  ids: readonly string[],
): Promise<readonly string[]> {
  const lost: string[] = [];
  for (const id of ids) {
    const [isThere, failedAt] = await Promise.all([
      client.exists(queue.toKey(id)),
      client.zscore(queue.toKey('failed'), id),
    ]);
    if (isThere === 1 && failedAt === null) continue;
    if (isThere === 1) await (await queue.getJob(id))?.remove();
    lost.push(id);
  }
  return lost;
}

function jobOptions(jobId: string): JobsOptions {
  return { jobId, ...RETRIES, ...RETENTION };
}
