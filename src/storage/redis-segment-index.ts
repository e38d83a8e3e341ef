import type { Redis } from 'ioredis';
import type { SegmentEntry } from '../model/segment.ts';
import { redisKeys } from './redis-keys.ts';
import { RedisScript } from './redis-script.ts';
import type { AppendResult, SegmentIndex } from './segment-index.ts';

/**
 * KEYS: list, head. ARGV: n, lane, epoch, object, json. An append whose answer was lost is repeated: if this very
 * object stands in the list, wherever, it has been appended. Numbers ascend, so it is found by halving.
 */
const APPEND = new RedisScript(`
local n, lane, epoch = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local last = tonumber(redis.call('HGET', KEYS[2], 'last') or -1)
if n <= last then
  local low, high = 0, redis.call('LLEN', KEYS[1]) - 1
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local entry = cjson.decode(redis.call('LINDEX', KEYS[1], middle))
    if entry.n == n then
      if entry.place.object == ARGV[4] then return 'appended' end
      break
    end
    if entry.n < n then low = middle + 1 else high = middle - 1 end
  end
end
local highest = tonumber(redis.call('HGET', KEYS[2], 'epoch:' .. lane) or -1)
if epoch < highest then return 'stale-epoch' end
if n <= last then return 'taken' end
redis.call('RPUSH', KEYS[1], ARGV[5])
redis.call('HSET', KEYS[2], 'last', n, 'epoch:' .. lane, epoch)
return 'appended'
`);

/** Entries asked of Redis at once: a 24 h class has 54 000. */
const READ_CHUNK = 5000;

/** The index as a Redis list, appended to by one Lua script: the fence between two makers of one recording. */
export class RedisSegmentIndex implements SegmentIndex {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async openEpoch(recordingId: string, lane: number): Promise<number> {
    return this.#redis.hincrby(redisKeys.segmentsHead(recordingId), `epoch:${lane}`, 1);
  }

  async append(recordingId: string, entry: SegmentEntry): Promise<AppendResult> {
    const outcome = await APPEND.run(
      this.#redis,
      [redisKeys.segments(recordingId), redisKeys.segmentsHead(recordingId)],
      [entry.n, entry.lane, entry.epoch, entry.place.object, JSON.stringify(entry)],
    );
    if (outcome === 'appended') return { appended: true };
    return { appended: false, reason: outcome === 'taken' ? 'taken' : 'stale-epoch' };
  }

  async read(recordingId: string, from = 0): Promise<readonly SegmentEntry[]> {
    const entries: SegmentEntry[] = [];
    for (;;) {
      const start = from + entries.length;
      const end = start + READ_CHUNK - 1;
      const chunk = await this.#redis.lrange(redisKeys.segments(recordingId), start, end);
      entries.push(...chunk.map((json) => JSON.parse(json) as SegmentEntry));
      if (chunk.length < READ_CHUNK) return entries;
    }
  }

  async count(recordingId: string): Promise<number> {
    return this.#redis.llen(redisKeys.segments(recordingId));
  }

  async delete(recordingId: string): Promise<void> {
    await this.#redis.del(redisKeys.segments(recordingId), redisKeys.segmentsHead(recordingId));
  }
}
