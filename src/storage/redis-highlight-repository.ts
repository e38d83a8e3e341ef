import type { Redis } from 'ioredis';
import type { Highlight } from '../model/highlight.ts';
import type { HighlightRepository } from './highlight-repository.ts';
import { objectKeys } from './keys.ts';
import type { ObjectStore } from './object-store.ts';
import { redisKeys } from './redis-keys.ts';
import { RedisRecords } from './redis-records.ts';
import { RedisScript } from './redis-script.ts';

/** KEYS: triggers, record, list. ARGV: trigger id, highlight id, json, score. The answer is the trigger's highlight. */
const CREATE = new RedisScript(`
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then
  return redis.call('HGET', KEYS[1], ARGV[1])
end
redis.call('HSET', KEYS[2], 'json', ARGV[3], 'version', 1)
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[2])
return ARGV[2]
`);

/** Highlights in Redis, mirrored to `highlight.json` in the store; one for each trigger of a recording. */
export class RedisHighlightRepository implements HighlightRepository {
  readonly #redis: Redis;
  readonly #store: ObjectStore;
  readonly #records: RedisRecords<Highlight>;

  constructor(options: { readonly redis: Redis; readonly store: ObjectStore }) {
    this.#redis = options.redis;
    this.#store = options.store;
    this.#records = new RedisRecords(options.redis, options.store, {
      name: 'highlight',
      recordKey: redisKeys.highlight,
      channel: redisKeys.highlightChanged,
      objectKey: objectKeys.highlight,
      score: (highlight) => highlight.createdAtMs,
      moves: () => ({ leaves: [], enters: [] }),
    });
  }

  async create(
    highlight: Highlight,
  ): Promise<{ readonly highlight: Highlight; readonly created: boolean }> {
    const earlier = await this.#findByTrigger(highlight);
    if (earlier !== undefined) return { highlight: earlier, created: false };
    let winner = highlight.id;
    const created = await this.#records.create(highlight, async () => {
      winner = String(await this.#enter(highlight));
      return winner === highlight.id;
    });
    return { highlight: created ? highlight : await this.get(winner), created };
  }

  find(id: string): Promise<Highlight | undefined> {
    return this.#records.find(id);
  }

  get(id: string): Promise<Highlight> {
    return this.#records.get(id);
  }

  async listByRecording(recordingId: string): Promise<readonly Highlight[]> {
    const key = redisKeys.highlightsOfRecording(recordingId);
    const ids = await this.#redis.zrange(key, '0', '-1');
    return this.#records.findMany(ids.map(String));
  }

  update(id: string, change: (highlight: Highlight) => Highlight): Promise<Highlight> {
    return this.#records.update(id, change);
  }

  async delete(id: string): Promise<void> {
    const highlight = await this.find(id);
    if (highlight !== undefined) {
      await this.#redis
        .multi()
        .hdel(redisKeys.triggersOfRecording(highlight.recordingId), highlight.triggerId)
        .zrem(redisKeys.highlightsOfRecording(highlight.recordingId), id)
        .del(redisKeys.highlight(id))
        .exec();
    }
    await this.#store.delete(objectKeys.highlight(id));
  }

  async #findByTrigger(highlight: Highlight): Promise<Highlight | undefined> {
    const key = redisKeys.triggersOfRecording(highlight.recordingId);
    const id = await this.#redis.hget(key, highlight.triggerId);
    return id === null ? undefined : this.find(id);
  }

  /** Resolves to the id of the trigger's highlight: this one, or one that was there before. */
  async #enter(highlight: Highlight): Promise<unknown> {
    const { id, recordingId } = highlight;
    return CREATE.run(
      this.#redis,
      [
        redisKeys.triggersOfRecording(recordingId),
        redisKeys.highlight(id),
        redisKeys.highlightsOfRecording(recordingId),
      ],
      [highlight.triggerId, id, JSON.stringify(highlight), highlight.createdAtMs],
    );
  }
}
