import type { Redis } from 'ioredis';
import { delay, type Closable } from '../../src/lifecycle.ts';
import type { SegmentEntry } from '../../src/model/segment.ts';
import { redisKeys } from '../../src/storage/redis-keys.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Fine enough for a bound of seconds. */
const POLL_MS = 25;
const LANES = [0, 1] as const;

/** A worker's right to record: of which lane, its epoch, and when it was first seen, Unix ms. */
export type OwnerChange = {
  readonly lane: number;
  readonly epoch: number;
  readonly workerId: string;
  readonly atMs: number;
};

/** Watches who may record something, in Redis, from outside. */
export type OwnerWatch = Closable & {
  /** Every owner seen, in order. */
  readonly changes: readonly OwnerChange[];
  /** Waits for the first change after a time, Unix ms. */
  readonly untilNext: (afterMs: number, timeoutMs: number) => Promise<OwnerChange>;
};

/** Begins to watch; who is there now counts as the first change. */
export function watchOwners(redis: Redis, recordingId: string): OwnerWatch {
  const changes: OwnerChange[] = [];
  const end = new AbortController();
  const look = async (lane: number): Promise<void> => {
    const key = redisKeys.lease(recordingId, lane);
    const [workerId, epoch] = await redis.hmget(key, 'worker', 'epoch').catch(() => []);
    // Redis may be away, or emptied: then nothing is known.
    if (typeof workerId !== 'string' || typeof epoch !== 'string') return;
    const last = changes.findLast((change) => change.lane === lane);
    if (last?.workerId === workerId && last.epoch === Number(epoch)) return;
    changes.push({ lane, epoch: Number(epoch), workerId, atMs: Date.now() });
  };
  const watching = (async () => {
    while (!end.signal.aborted) {
      await Promise.all(LANES.map(look));
      await delay(POLL_MS, end.signal).catch(() => undefined);
    }
  })();
  return {
    changes,
    untilNext: (afterMs, timeoutMs) =>
      waitUntil('a new owner', () => changes.find(({ atMs }) => atMs > afterMs), timeoutMs),
    close: async () => {
      end.abort();
      await watching;
    },
  };
}

/** Every entry of a recording's index, also those that wait or came late. */
export async function readEntries(redis: Redis, recordingId: string): Promise<SegmentEntry[]> {
  const inOrder = await redis.lrange(redisKeys.segments(recordingId), 0, -1);
  const head = await redis.hgetall(redisKeys.segmentsHead(recordingId));
  const aside = Object.entries(head).flatMap(([name, json]) =>
    name.startsWith('aside:') ? [json] : [],
  );
  return [...inOrder, ...aside].map((json) => JSON.parse(json) as SegmentEntry);
}
