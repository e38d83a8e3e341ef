import type { Redis } from 'ioredis';
import { inputError } from '../errors.ts';
import { objectKeys } from './keys.ts';
import type { ObjectStore } from './object-store.ts';
import { redisKeys } from './redis-keys.ts';
import { RedisScript } from './redis-script.ts';
import type { Share, ShareRepository, ShareTarget } from './share-repository.ts';

/** KEYS: share, shares of its target, all by expiry, the target's record. ARGV: json, id, time of creation, expiry. */
const ENTER = new RedisScript(`
local record = redis.call('HGET', KEYS[4], 'json')
if not record or cjson.decode(record).deletedAtMs then return 'missing' end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[2])
return 'done'
`);

/** Share records in Redis, mirrored to the store. */
export class RedisShareRepository implements ShareRepository {
  readonly #redis: Redis;
  readonly #store: ObjectStore;

  constructor(options: { readonly redis: Redis; readonly store: ObjectStore }) {
    this.#redis = options.redis;
    this.#store = options.store;
  }

  async create(share: Share): Promise<void> {
    const objectKey = objectKeys.share(share);
    await this.#store.putOnce(objectKey, Buffer.from(`${JSON.stringify(share, null, 2)}\n`));
    let entered = false;
    try {
      entered = await this.#enter(share);
    } finally {
      if (!entered) await this.#store.delete(objectKey);
    }
    if (!entered) {
      const message = `There is no ${share.kind} ${share.targetId}`;
      throw inputError(`${share.kind}Id`, message, `${share.kind}-not-found`);
    }
  }

  async isLive(shareId: string): Promise<boolean> {
    return (await this.#redis.exists(redisKeys.share(shareId))) === 1;
  }

  async list(target: ShareTarget): Promise<readonly Share[]> {
    const ids = await this.#redis.zrevrange(redisKeys.sharesOf(target), '0', '-1');
    return this.#read(ids);
  }

  async revoke(shareId: string): Promise<boolean> {
    const [share] = await this.#read([shareId]);
    if (share === undefined) return false;
    await this.#remove(share);
    return true;
  }

  async revokeAll(target: ShareTarget): Promise<number> {
    const shares = await this.list(target);
    for (const share of shares) await this.#remove(share);
    return shares.length;
  }

  async removeExpired(beforeMs: number, limit: number): Promise<number> {
    const key = redisKeys.sharesByExpiry;
    const ids = await this.#redis.zrangebyscore(key, '-inf', beforeMs, 'LIMIT', 0, limit);
    const shares = await this.#read(ids);
    for (const share of shares) await this.#remove(share);
    return shares.length;
  }

  async restore(share: Share): Promise<void> {
    await this.#enter(share);
  }

  async #enter(share: Share): Promise<boolean> {
    const { id, kind, targetId, createdAtMs, expiresAtMs } = share;
    const target = kind === 'recording' ? redisKeys.recording : redisKeys.highlight;
    const keys = [
      redisKeys.share(id),
      redisKeys.sharesOf(share),
      redisKeys.sharesByExpiry,
      target(targetId),
    ];
    const args = [JSON.stringify(share), id, createdAtMs, expiresAtMs];
    return (await ENTER.run(this.#redis, keys, args)) === 'done';
  }

  /** From the store first: what Redis does not know is revoked, and a removal cut short is found again in Redis. */
  async #remove(share: Share): Promise<void> {
    await this.#store.delete(objectKeys.share(share));
    await this.#redis
      .multi()
      .del(redisKeys.share(share.id))
      .zrem(redisKeys.sharesOf(share), share.id)
      .zrem(redisKeys.sharesByExpiry, share.id)
      .exec();
  }

  async #read(ids: readonly string[]): Promise<Share[]> {
    if (ids.length === 0) return [];
    const found = await this.#redis.mget(ids.map((id) => redisKeys.share(id)));
    return found.filter((json) => json !== null).map((json) => JSON.parse(json) as Share);
  }
}
