import { getNextMillis, Queue, Worker } from 'bullmq';
import { asChalkreelError, inputError } from '../errors.ts';
import type { Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { findNight, nextNight, type Night, type NightTimes } from '../model/night.ts';
import { NIGHTS_QUEUE } from '../protocol/jobs.ts';
import type { BatchQueue } from './batch-queue.ts';
import { closeRedis, type RedisConnection } from './connection.ts';
import { QUEUE_PREFIX } from './work-queue.ts';

/** The one scheduler of the fleet. */
const SCHEDULER = 'night';
/** A night that nobody was there to begin in time is begun so late at most, within its window; and so late is seen that Redis was emptied. */
const LOOK_EVERY_MS = 60_000;

export type NightSettings = {
  /** Undefined: nights are begun by people only. */
  readonly cron: string | undefined;
  readonly timeZone: string;
  readonly endsAt: string;
};

/** The schedule as settings say it. Throws an input error for a cron line that is none. */
export function nightTimes({ cron, timeZone, endsAt }: NightSettings): NightTimes | undefined {
  if (cron === undefined) return undefined;
  // Cron is asked about the clock on the wall, as if that were UTC: what clock changes mean is decided in model/night.ts.
  const nextRun = (afterWallMs: number): number | undefined =>
    getNextMillis(afterWallMs, { pattern: cron, tz: 'UTC' });
  try {
    nextRun(0);
  } catch (error) {
    const why = asChalkreelError(error).message;
    throw inputError(
      'CHALKREEL_BATCH_CRON',
      `CHALKREEL_BATCH_CRON: "${cron}" is no cron line: ${why}`,
    );
  }
  return { timeZone, endsAt, nextRun };
}

export type NightsOptions = {
  readonly log: Log;
  readonly settings: NightSettings;
  readonly batch: Pick<BatchQueue, 'enqueueNight'>;
  /** Begins a night; may be run again for the same one when its worker died. */
  readonly begin: (night: Night) => Promise<void>;
  /** Unix ms. */
  readonly nowMs: () => number;
};

/**
 * Keeps the schedule in BullMQ, and begins nights when they are due: each once in the whole fleet, by its date, however many workers
 * there are, however often one is told of, and also when the clock shows its time twice or not at all.
 */
export async function startNights(
  redis: RedisConnection,
  options: NightsOptions,
): Promise<Closable> {
  const { log, nowMs } = options;
  const times = nightTimes(options.settings);
  const connection = redis.client.duplicate();
  connection.on('error', () => undefined); // told by the connection it was copied from
  const blocking = redis.openBlocking();
  const settings = {
    repeatStrategy: (afterMs: number): number | undefined =>
      times === undefined ? undefined : nextNight(afterMs, times)?.startsAtMs,
  };
  const queue = new Queue<Partial<Night>>(NIGHTS_QUEUE, {
    connection,
    prefix: QUEUE_PREFIX,
    settings,
  });
  const onError = (error: Error): void =>
    log.debug({ err: error, queue: NIGHTS_QUEUE }, 'queue error');
  queue.on('error', onError);
  const askIfDue = async (atMs: number): Promise<void> => {
    const night = times === undefined ? undefined : findNight(atMs, times);
    if (night !== undefined) await options.batch.enqueueNight(night);
  };
  const look = async (): Promise<void> => {
    const nextMs = times === undefined ? undefined : nextNight(nowMs(), times)?.startsAtMs;
    await keepSchedule(queue, nextMs, scheduleName(options.settings));
    await askIfDue(nowMs());
  };
  const worker = new Worker<Partial<Night>>(
    NIGHTS_QUEUE,
    async ({ name, data, opts }) => {
      // This machine's clock may be somewhat behind that of who set it.
      if (name === 'tick') await askIfDue(Math.max(nowMs(), opts.prevMillis ?? 0));
      else await options.begin(data as Night);
    },
    { connection: blocking, prefix: QUEUE_PREFIX, settings, maxStalledCount: 1_000 },
  );
  worker.on('error', onError);
  worker.on('failed', (job, error) => {
    log.warn({ event: 'night-not-begun', err: error, job: job?.id, attempt: job?.attemptsMade });
  });
  let looking: Promise<void> = Promise.resolve();
  const lookAgain = (): void => {
    looking = looking.then(look).catch((error: unknown) => {
      log.warn({ event: 'schedule-not-kept', err: error });
    });
  };
  const timer = setInterval(lookAgain, LOOK_EVERY_MS);
  await look();
  const close = async (): Promise<void> => {
    clearInterval(timer);
    await looking;
    await worker.close();
    await queue.close();
    await Promise.all([closeRedis(connection), closeRedis(blocking)]);
  };
  let closed: Promise<void> | undefined;
  return { close: () => (closed ??= close()) };
}

/** Puts the schedule where it is not, or another one is: a night that is about to begin is not disturbed by every worker that starts. */
async function keepSchedule(
  queue: Queue<Partial<Night>>,
  nextMs: number | undefined,
  pattern: string,
): Promise<void> {
  const present = await queue.getJobScheduler(SCHEDULER);
  if (nextMs === undefined) {
    if (present !== undefined) await queue.removeJobScheduler(SCHEDULER);
    return;
  }
  // What is due now, and not yet taken, is before that.
  const isKept = present?.next !== undefined && present.next <= nextMs;
  if (isKept && present.pattern === pattern) return;
  const opts = { removeOnComplete: true, removeOnFail: true };
  await queue.upsertJobScheduler(SCHEDULER, { pattern }, { name: 'tick', data: {}, opts });
}

/** BullMQ only compares it: when it runs is the strategy's to say. */
function scheduleName({ cron, timeZone }: NightSettings): string {
  return `${cron ?? ''} ${timeZone}`;
}
