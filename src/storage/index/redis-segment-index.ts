import type { Redis } from 'ioredis';
import type { Closable } from '../../lifecycle.ts';
import { SEGMENT_MS } from '../../model/grid.ts';
import type { SegmentEntry } from '../../model/segment.ts';
import { RedisChannels } from '../redis-channels.ts';
import { redisKeys } from '../redis-keys.ts';
import { APPEND, ASK_TURN, OPEN_EPOCH, READ_NUMBERS, SETTLE } from './segment-index-scripts.ts';
import {
  MISSED_MS,
  OVERDUE_MS,
  type AppendResult,
  type SegmentIndex,
  type Settled,
  type SettleOptions,
  type Turn,
} from './segment-index.ts';

/** Entries asked of Redis at once: a 24 h class has 54 000. */
const READ_CHUNK = 5000;
/** Fields of the head that hold entries out of order, by number. */
const ASIDE = 'aside:';

/** The index as a Redis list, changed by two Lua scripts: the fence between two makers of one recording. Close it to end its subscriptions. */
export class RedisSegmentIndex implements SegmentIndex, Closable {
  readonly #redis: Redis;
  readonly #channels: RedisChannels;

  constructor(options: {
    readonly redis: Redis;
    /** Opens the one connection that all subscriptions share; closed with the index. */
    readonly openSubscriber: () => Redis;
  }) {
    this.#redis = options.redis;
    this.#channels = new RedisChannels(options.openSubscriber);
  }

  async openEpoch(recordingId: string, lane: number): Promise<number> {
    const keys = [redisKeys.segmentsHead(recordingId)];
    return Number(await OPEN_EPOCH.run(this.#redis, keys, [lane]));
  }

  async append(
    recordingId: string,
    entry: SegmentEntry,
    { isSalvaged = false }: { readonly isSalvaged?: boolean } = {},
  ): Promise<AppendResult> {
    const outcome = await APPEND.run(
      this.#redis,
      [redisKeys.segments(recordingId), redisKeys.segmentsHead(recordingId)],
      [
        ...[entry.n, entry.lane, entry.epoch, entry.place.object, JSON.stringify(entry)],
        isSalvaged ? 1 : 0,
      ],
    );
    if (outcome === 'appended') return { appended: true };
    if (outcome === 'late') return { appended: true, late: true };
    return { appended: false, reason: outcome === 'taken' ? 'taken' : 'stale-epoch' };
  }

  async askTurn(
    recordingId: string,
    { n, lane }: Pick<SegmentEntry, 'n' | 'lane'>,
    originMs: number,
  ): Promise<Turn> {
    const keys = [redisKeys.segments(recordingId), redisKeys.segmentsHead(recordingId)];
    const args = [n, lane, originMs, SEGMENT_MS, MISSED_MS];
    return (await ASK_TURN.run(this.#redis, keys, args)) as Turn;
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

  async readNumbers(
    recordingId: string,
    first: number,
    last: number,
  ): Promise<{ readonly decided: number; readonly entries: readonly SegmentEntry[] }> {
    const keys = [redisKeys.segments(recordingId), redisKeys.segmentsHead(recordingId)];
    const answer = await READ_NUMBERS.run(this.#redis, keys, [first, last]);
    const [decided, entries] = answer as [number | string, string[]];
    return {
      decided: Number(decided),
      entries: entries.map((json) => JSON.parse(json) as SegmentEntry),
    };
  }

  async findLast(recordingId: string): Promise<SegmentEntry | undefined> {
    const [json, aside] = await Promise.all([
      this.#redis.lindex(redisKeys.segments(recordingId), -1),
      this.readAside(recordingId),
    ]);
    const inOrder = json === null ? undefined : (JSON.parse(json) as SegmentEntry);
    const waiting = aside.at(-1);
    return (waiting?.n ?? -1) > (inOrder?.n ?? -1) ? waiting : inOrder;
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

  subscribe(recordingId: string, onChanged: () => void): Promise<Closable> {
    return this.#channels.subscribe(redisKeys.segmentsChanged(recordingId), onChanged);
  }

  close(): Promise<void> {
    return this.#channels.close();
  }

  async delete(recordingId: string): Promise<void> {
    await this.#redis.del(redisKeys.segments(recordingId), redisKeys.segmentsHead(recordingId));
  }
}
