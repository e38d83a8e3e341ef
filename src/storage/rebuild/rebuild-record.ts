import type { Redis } from 'ioredis';
import { isRebuilding } from './generation.ts';
import { delay } from '../../lifecycle.ts';
import { FENCE } from './rebuild-fence.ts';
import type { RecordKind } from '../records/redis-records.ts';
import { RedisScript } from '../redis-script.ts';

/** Within this time Redis is back, or the caller is told that it is not. */
const PATIENCE_MS = 10_000;
const POLL_MS = 50;

/**
 * KEYS: record, then the sorted sets it is in. ARGV: fence, id, channel, number of scores, scores, names and values of the record's
 * fields. Its version is the time, so that it is above any it had: who follows the record sees that it has changed.
 */
const RESTORE = new RedisScript(
  `${FENCE}
if not mayRestore(ARGV[1]) or redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
local version = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local scores = tonumber(ARGV[4])
redis.call('HSET', KEYS[1], 'version', version)
for i = 5 + scores, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
for i = 1, scores do redis.call('ZADD', KEYS[i + 1], ARGV[4 + i], ARGV[2]) end
redis.call('PUBLISH', ARGV[3], version)
return 1
`,
  { duringRebuild: true },
);

/** Brings a record back into a Redis that has lost it; false when it is there, or `fence` does not hold. */
export async function restoreRecord<T extends { readonly id: string }>(
  redis: Redis,
  kind: RecordKind<T>,
  record: {
    readonly value: T;
    readonly fence: string;
    /** Further fields of its hash. */
    readonly fields?: Readonly<Record<string, string>> | undefined;
  },
): Promise<boolean> {
  const { value, fence, fields = {} } = record;
  const sets = kind.memberships(value);
  const outcome = await RESTORE.run(
    redis,
    [kind.recordKey(value.id), ...sets.map(({ key }) => key)],
    [
      ...[fence, value.id, kind.channel(value.id), sets.length],
      ...sets.map(({ score }) => score),
      ...Object.entries({ json: JSON.stringify(value), ...fields }).flat(),
    ],
  );
  return outcome === 1;
}

/**
 * Runs a step that enters into Redis what the store has. When Redis is emptied just then it waits until it is back, for 10 s at most, and runs
 * it again, telling so: what it enters may have been brought back from the store meanwhile.
 */
export async function enterWhenWhole(
  enter: (wasEmptied: boolean) => Promise<boolean>,
): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let wasEmptied = false; ; wasEmptied = true) {
    try {
      return await enter(wasEmptied);
    } catch (error) {
      if (!isRebuilding(error) || performance.now() > deadline) throw error;
      await delay(POLL_MS);
    }
  }
}
