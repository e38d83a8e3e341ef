import { randomUUID } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { ulid } from 'ulid';
import { systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { Resources, type Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { haltFfmpeg, resumeFfmpeg } from '../media/ffmpeg-children.ts';
import { BatchBoard, BEAT_MS } from '../queue/batch-board.ts';
import { consumeBatch } from '../queue/consume-batch.ts';
import { countLiveLanes } from '../queue/live-load.ts';
import { nightTimes, startNights } from '../queue/night-schedule.ts';
import { openServices, type Services } from '../queue/open-services.ts';
import { loadProfiles } from '../queue/reencode-profiles.ts';
import { startFinishWatch } from './finish-watch.ts';
import { handleBatchJob } from './jobs/handle-job.ts';
import { startLiveFirst } from './live-first.ts';
import type { BatchMedia } from './media.ts';
import { beginNight } from './night.ts';
import type { BatchParts } from './jobs/parts.ts';
import { startReencodeSweep } from './sweep.ts';

export type BatchWorkerOptions = {
  readonly config: Config;
  readonly log: Log;
  /** Jobs at a time. */
  readonly slots: number;
  readonly openMedia: (services: Services) => BatchMedia;
};

/**
 * A batch worker: begins nights, takes jobs and gives way to live recordings, until it is closed. What it has at work is handed back then.
 * Throws what `openServices` throws, and input errors of the batch's settings.
 */
export async function openBatchWorker(options: BatchWorkerOptions): Promise<Closable> {
  const resources = new Resources();
  try {
    await open(options, resources);
    return resources;
  } catch (error) {
    await resources.close();
    throw error;
  }
}

async function open(
  { config, log, slots, openMedia }: BatchWorkerOptions,
  resources: Resources,
): Promise<void> {
  const { batch } = config;
  const profiles = await loadProfiles(batch);
  const times = nightTimes(batch);
  const services = resources.use(await openServices(config, log));
  const host = hostname();
  const workerId = `${host}-${process.pid}-${randomUUID().slice(0, 4)}`;
  const most = batch.liveSlots ?? Math.floor((config.slots ?? availableParallelism()) / 2);
  let onLiveChanged = (): void => undefined;
  const live = resources.use(
    await startLiveFirst({
      count: () => countLiveLanes(services.redis.client, host),
      most,
      log,
      halt: haltFfmpeg,
      goOn: resumeFfmpeg,
      onChanged: () => {
        onLiveChanged();
      },
    }),
  );
  const board = new BatchBoard(services.redis.client);
  const media = openMedia(services);
  const parts: BatchParts = {
    ...{ services, board, media, profiles, times, live, workerId, log },
    clock: systemClock,
    newId: ulid,
  };
  const consumer = resources.use(
    consumeBatch(services.redis, {
      log,
      concurrency: slots,
      lockMs: batch.lockMs,
      mayTake: () => !live.isPaused(),
      handle: (job, context) => handleBatchJob(job, context, parts),
    }),
  );
  onLiveChanged = () => {
    consumer.mayTakeChanged();
  };
  const { busy } = consumer;
  resources.use(
    startBeating(parts, () => ({ host, slots, busy: busy(), isPaused: live.isPaused() })),
  );
  resources.use(startReencodeSweep(parts));
  resources.use(
    await startNights(services.redis, {
      ...{ log, settings: batch, batch: services.batch },
      begin: (night) => beginNight(night, parts),
      nowMs: () => systemClock.nowMs(),
    }),
  );
  if (batch.onFinish) resources.use(await startFinishWatch(parts));
  log.info({ event: 'batch-ready', workerId, slots, most });
}

/** Says each second that this worker lives; when it is closed, that it has gone. */
function startBeating(
  { board, workerId: id, log, clock }: BatchParts,
  describe: () => {
    readonly host: string;
    readonly slots: number;
    readonly busy: number;
    readonly isPaused: boolean;
  },
): Closable {
  let told: Promise<void> = Promise.resolve();
  const beat = (): void => {
    told = board.beat({ id, ...describe() }, clock.nowMs()).catch((error: unknown) => {
      log.debug({ event: 'beat-failed', err: error });
    });
  };
  const timer = setInterval(beat, BEAT_MS);
  beat();
  return {
    async close() {
      clearInterval(timer);
      await told;
      await board.leave(id).catch(() => undefined);
    },
  };
}
