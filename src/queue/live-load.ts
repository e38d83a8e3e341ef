import type { Redis } from 'ioredis';
import { redisKeys } from '../storage/redis-keys.ts';
import { readFleetMs } from './fleet-time.ts';
import { parseRef } from './lane-ref.ts';

/**
 * How many lanes of recordings are being made on a host right now: leases that are renewed, by workers whose ids begin with the host's name,
 * and those they are about to take over.
 */
export async function countLiveLanes(redis: Redis, host: string): Promise<number> {
  const nowMs = await readFleetMs(redis);
  const lanes = await redis.zrangebyscore(redisKeys.leases, nowMs, '+inf');
  const owners = await Promise.all(
    lanes.map((ref) => {
      const { recordingId, lane } = parseRef(ref);
      return redis.hmget(redisKeys.lease(recordingId, lane), 'worker', 'next', 'nextUntil');
    }),
  );
  const isHere = (worker: string | null | undefined): boolean =>
    typeof worker === 'string' && isOfHost(worker, host);
  return owners.reduce((sum, [worker, next, nextUntil]) => {
    const isNextHere = isHere(next) && Number(nextUntil ?? 0) > nowMs;
    return sum + (isHere(worker) ? 1 : 0) + (isNextHere ? 1 : 0);
  }, 0);
}

/** Worker ids are `<host>-<pid>-<four characters>`; a host's name may have dashes itself. */
export function isOfHost(workerId: string, host: string): boolean {
  return (
    workerId.startsWith(`${host}-`) && /^\d+-[0-9a-f]{4}$/.test(workerId.slice(host.length + 1))
  );
}
