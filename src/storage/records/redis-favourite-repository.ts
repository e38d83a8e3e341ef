import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { inputError } from '../../errors.ts';
import type { Highlight } from '../../model/highlight.ts';
import type { Favourite, FavouriteRepository } from './favourite-repository.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { redisKeys } from '../redis-keys.ts';
import { RedisScript } from '../redis-script.ts';

/** KEYS: all highlights by time, the highlight's viewers, the viewer's highlights. ARGV: highlight id, viewer id, time. */
const ADD = new RedisScript(`
local triggeredAtMs = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not triggeredAtMs then return 'missing' end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('ZADD', KEYS[3], triggeredAtMs, ARGV[1])
return 'done'
`);

/** KEYS: the highlight's viewers, the viewer's highlights. ARGV: highlight id, viewer id, time, time of the trigger. */
const RESTORE = new RedisScript(
  `
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
`,
  { duringRebuild: true },
);

/** Favourites in Redis, mirrored to the store, one object each. */
export class RedisFavouriteRepository implements FavouriteRepository {
  readonly #redis: Redis;
  readonly #store: ObjectStore;

  constructor(options: { readonly redis: Redis; readonly store: ObjectStore }) {
    this.#redis = options.redis;
    this.#store = options.store;
  }

  async add(favourite: Favourite): Promise<void> {
    const { highlightId, viewerId, createdAtMs } = favourite;
    const object = objectOf(highlightId, viewerId);
    await this.#store.put(object, Buffer.from(`${JSON.stringify(favourite, null, 2)}\n`));
    const keys = [
      redisKeys.highlights,
      redisKeys.viewersOfHighlight(highlightId),
      redisKeys.favouritesOfViewer(viewerId),
    ];
    const outcome = await ADD.run(this.#redis, keys, [highlightId, viewerId, createdAtMs]);
    if (outcome === 'done') return;
    await this.#store.delete(object);
    throw inputError('id', `There is no highlight ${highlightId}`, 'highlight-not-found');
  }

  /** Brings a record of the store back into a Redis that has lost it. May be repeated. */
  async restore(
    { highlightId, viewerId, createdAtMs }: Favourite,
    { triggeredAtMs }: Pick<Highlight, 'triggeredAtMs'>,
  ): Promise<void> {
    const keys = [
      redisKeys.viewersOfHighlight(highlightId),
      redisKeys.favouritesOfViewer(viewerId),
    ];
    await RESTORE.run(this.#redis, keys, [highlightId, viewerId, createdAtMs, triggeredAtMs]);
  }

  async remove(highlightId: string, viewerId: string): Promise<void> {
    await this.#store.delete(objectOf(highlightId, viewerId));
    await this.#redis
      .multi()
      .zrem(redisKeys.favouritesOfViewer(viewerId), highlightId)
      .hdel(redisKeys.viewersOfHighlight(highlightId), viewerId)
      .exec();
  }

  async findOf(viewerId: string, highlightIds: readonly string[]): Promise<ReadonlySet<string>> {
    if (highlightIds.length === 0) return new Set();
    const key = redisKeys.favouritesOfViewer(viewerId);
    const scores = await this.#redis.zmscore(key, ...highlightIds);
    return new Set(highlightIds.filter((_id, i) => scores[i] !== null));
  }

  async removeAll(highlightId: string): Promise<number> {
    const viewers = await this.#redis.hkeys(redisKeys.viewersOfHighlight(highlightId));
    for (const viewerId of viewers) await this.remove(highlightId, viewerId);
    return viewers.length;
  }
}

/** A viewer's id may be any text: its digest is a short name that fits into every store. */
function objectOf(highlightId: Highlight['id'], viewerId: string): string {
  const digest = createHash('sha256').update(viewerId).digest('base64url');
  return objectKeys.favourite(highlightId, digest);
}
