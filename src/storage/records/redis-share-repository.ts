import type { Redis } from 'ioredis';
import { inputError } from '../../errors.ts';
import { getGeneration, rebuilding } from '../rebuild/generation.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { redisKeys } from '../redis-keys.ts';
import { RedisScript } from '../redis-script.ts';
import type { Share, ShareRepository, ShareTarget } from './share-repository.ts';

/** KEYS: share, shares of its target, all by expiry, the target's record, recordings being deleted. ARGV: json, id, time of creation, expiry, target. */
const ENTER = new RedisScript(`
if redis.call('EXISTS', KEYS[4]) == 0 or redis.call('ZSCORE', KEYS[5], ARGV[5]) then return 'missing' end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[2])
return 'done'
`);

/** The same for what the store has, whether its target is back already or not. */
const RESTORE = new RedisScript(
  `
redis.call('SET', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[2])
`,
  { duringRebuild: true },
);

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
    const isThere = async (): Promise<boolean> =>
      (await this.#redis.exists(redisKeys.share(shareId))) === 1;
    if (await isThere()) return true;
    // A Redis that was emptied cannot say that a share was revoked.
    const { isComplete } = await getGeneration(this.#redis);
    if (await isThere()) return true;
    if (!isComplete) throw rebuilding();
    return false;
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
    await RESTORE.run(this.#redis, keysOf(share), argumentsOf(share));
  }

  async #enter(share: Share): Promise<boolean> {
    const { kind, targetId } = share;
    const target = kind === 'recording' ? redisKeys.recording : redisKeys.highlight;
    const keys = [...keysOf(share), target(targetId), redisKeys.recordingsDeleting];
    return (await ENTER.run(this.#redis, keys, [...argumentsOf(share), targetId])) === 'done';
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

function keysOf(share: Share): string[] {
  return [redisKeys.share(share.id), redisKeys.sharesOf(share), redisKeys.sharesByExpiry];
}

function argumentsOf(share: Share): (string | number)[] {
  return [JSON.stringify(share), share.id, share.createdAtMs, share.expiresAtMs];
}
