import type { Redis } from 'ioredis';
import { ulid } from 'ulid';
import type { Config } from '../config.ts';
import { inputError } from '../errors.ts';
import { Resources, type Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { FavouriteRepository } from '../storage/records/favourite-repository.ts';
import type { HighlightRepository } from '../storage/records/highlight-repository.ts';
import { JournalKeeper } from '../storage/index/journal-keeper.ts';
import { JournaledSegmentIndex } from '../storage/index/journaled-segment-index.ts';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import { openObjectStore } from '../storage/objects/open-object-store.ts';
import { RebuildWatch } from '../storage/rebuild/rebuild-watch.ts';
import type { RecordingRepository } from '../storage/records/recording-repository.ts';
import { RedisFavouriteRepository } from '../storage/records/redis-favourite-repository.ts';
import { RedisHighlightRepository } from '../storage/records/redis-highlight-repository.ts';
import { RedisRecordingRepository } from '../storage/records/redis-recording-repository.ts';
import { RedisShareRepository } from '../storage/records/redis-share-repository.ts';
import { Restorer } from '../storage/rebuild/restorer.ts';
import type { SegmentIndex } from '../storage/index/segment-index.ts';
import type { ShareRepository } from '../storage/records/share-repository.ts';
import { openBatchQueue, type BatchQueue } from './batch-queue.ts';
import { openRedis, type RedisConnection } from './connection.ts';
import { readFleetMs } from './fleet-time.ts';
import { createRequestHighlight } from './request-highlight.ts';
import type { RequestHighlight, WorkQueue } from './services.ts';
import { openWorkQueue } from './work-queue.ts';

/** What the roles meet through. */
export type Services = {
  readonly redis: RedisConnection;
  readonly store: ObjectStore;
  readonly recordings: RecordingRepository;
  readonly highlights: HighlightRepository;
  readonly segments: SegmentIndex;
  readonly journals: JournalKeeper;
  readonly restorer: Restorer;
  readonly shares: ShareRepository;
  readonly favourites: FavouriteRepository;
  readonly queue: WorkQueue;
  readonly batch: BatchQueue;
  readonly requestHighlight: RequestHighlight;
  /** The fleet's clock, Unix ms. */
  readonly fleetNowMs: () => Promise<number>;
};

/**
 * Connects a role to queue, storage and index as the configuration says. Throws `redis-unavailable`,
 * `storage-not-writable`, or an input error when no Redis is named. The caller closes it. Resolves when Redis is whole; an observer does not
 * wait for that, and leaves an emptied Redis to others.
 */
export async function openServices(
  config: Pick<Config, 'redisUrl' | 'storageUrl' | 'dataDir'>,
  log: Log,
  { isObserver = false }: { readonly isObserver?: boolean } = {},
): Promise<Services & Closable> {
  if (config.redisUrl === undefined) {
    throw inputError('CHALKREEL_REDIS_URL', 'CHALKREEL_REDIS_URL: expected the Redis to use');
  }
  const resources = new Resources();
  try {
    const store = await openObjectStore(config);
    const redis = resources.use(await openRedis(config.redisUrl, log));
    const openSubscriber = (): Redis => redis.openBlocking();
    const journals = new JournalKeeper({ redis: redis.client, store });
    const recordings = resources.use(
      new RedisRecordingRepository({
        redis: redis.client,
        store,
        openSubscriber,
        recover: (id): Promise<boolean> =>
          watch.recover((fence) => restorer.restoreRecording(id, fence)),
        // What is over is brought back by one journal.
        beforeEnd: (id) => journals.seal(id),
      }),
    );
    const highlights = new RedisHighlightRepository({
      redis: redis.client,
      store,
      recover: (id): Promise<boolean> =>
        watch.recover((fence) => restorer.restoreHighlight(id, fence)),
    });
    const segments = resources.use(
      new JournaledSegmentIndex({ redis: redis.client, openSubscriber, journals }),
    );
    const shares = new RedisShareRepository({ redis: redis.client, store });
    const favourites = new RedisFavouriteRepository({ redis: redis.client, store });
    const queue = resources.use(openWorkQueue(redis, log));
    const batch = resources.use(openBatchQueue(redis, log));
    const records = { recordings, highlights, segments, shares, favourites };
    const restorer = new Restorer({ redis: redis.client, store, ...records, log });
    const watch = resources.use(
      new RebuildWatch({
        redis: redis.client,
        store,
        restorer,
        isObserver,
        log,
        enqueueRecording: ({ id }) => queue.enqueueRecording(id),
        enqueueHighlight: ({ id, window }) =>
          queue.enqueueHighlight(id, { windowEndMs: window.endMs }),
      }),
    );
    await watch.start();
    const parts = { store, redis, ...records, journals, restorer, queue, batch };
    const fleetNowMs = (): Promise<number> => readFleetMs(redis.client);
    const requestHighlight = createRequestHighlight({ ...parts, log, fleetNowMs, newId: ulid });
    return { ...parts, requestHighlight, fleetNowMs, close: () => resources.close() };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
