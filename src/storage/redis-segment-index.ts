import type { Redis } from 'ioredis';
import { SEGMENT_MS } from '../model/grid.ts';
import type { SegmentEntry } from '../model/segment.ts';
import { redisKeys } from './redis-keys.ts';
import { APPEND, SETTLE } from './segment-index-scripts.ts';
import {
  OVERDUE_MS,
  type AppendResult,
  type SegmentIndex,
  type Settled,
  type SettleOptions,
} from './segment-index.ts';

/** Entries asked of Redis at once: a 24 h class has 54 000. */
const READ_CHUNK = 5000;
/** Fields of the head that hold entries out of order, by number. */
const ASIDE = 'aside:';

/** The index as a Redis list, changed by two Lua scripts: the fence between two makers of one recording. */
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
    if (outcome === 'late') return { appended: true, late: true };
    return { appended: false, reason: outcome === 'taken' ? 'taken' : 'stale-epoch' };
  }

  async settle(
    recordingId: string,
    { originMs, endNumber = -1, isOver = false }: SettleOptions,
  ): Promise<Settled> {
    const keys = [redisKeys.segments(recordingId), redisKeys.segmentsHead(recordingId)];
    const args = [originMs, SEGMENT_MS, OVERDUE_MS, endNumber, isOver ? 1 : 0];
    const [last, count] = (await SETTLE.run(this.#redis, keys, args)) as [number, number];
    return { last, count };
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

  async readAll(recordingId: string): Promise<readonly SegmentEntry[]> {
    // Those aside first: one that is let in order meanwhile is found twice, not missed.
    const aside = await this.readAside(recordingId);
    const inOrder = await this.read(recordingId);
    if (aside.length === 0) return inOrder;
    const byNumber = new Map([...aside, ...inOrder].map((entry) => [entry.n, entry]));
    return [...byNumber.values()].sort((a, b) => a.n - b.n);
  }

  async readAside(recordingId: string): Promise<readonly SegmentEntry[]> {
    const head = await this.#redis.hgetall(redisKeys.segmentsHead(recordingId));
    return Object.entries(head)
      .filter(([field]) => field.startsWith(ASIDE))
      .map(([, json]) => JSON.parse(json) as SegmentEntry)
      .sort((a, b) => a.n - b.n);
  }

  async count(recordingId: string): Promise<number> {
    return this.#redis.llen(redisKeys.segments(recordingId));
  }

  async delete(recordingId: string): Promise<void> {
    await this.#redis.del(redisKeys.segments(recordingId), redisKeys.segmentsHead(recordingId));
  }
}
