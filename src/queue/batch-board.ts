import type { Redis } from 'ioredis';
import type { BatchWorkerView, ChunkAtWork, RunCounts } from '../model/batch-progress.ts';
import { smoothCost } from '../model/batch-progress.ts';
import type { Night } from '../model/night.ts';
import { redisKeys } from '../storage/redis-keys.ts';
import { RedisScript } from '../storage/redis-script.ts';

/** How a night goes. Over it is when its end has come, or nothing is left to do. */
export type NightRecord = Night & {
  readonly state: 'planning' | 'running' | 'cancelled';
  readonly begunAtMs: number;
  /** Recordings that did not fit, and wait for the next one. */
  readonly deferred: number;
};

/** What the batch has done since Redis was new; all only grow. */
export const BATCH_TOTALS = {
  chunksEncoded: 'Chunks encoded',
  chunksFound: 'Chunks that were there already',
  chunkFailures: 'Tries of a chunk that failed',
  encodedMs: 'Source encoded, ms',
  busyMs: 'Time of encoders, ms',
  completed: 'Re-encodes completed',
  failed: 'Re-encodes given up',
  cancelled: 'Re-encodes cancelled',
  bytesBefore: 'Bytes of what was re-encoded',
  bytesAfter: 'Bytes of what it was re-encoded into',
} as const;
export type BatchTotal = keyof typeof BATCH_TOTALS;

/** What a chunk's encode came to. */
export type ChunkDone = {
  readonly index: number;
  /** Of the source. */
  readonly durationMs: number;
  readonly busyMs: number;
  readonly bytes: number;
  readonly wasThere: boolean;
};

/** Counts of a run outlive it by so much: somebody may want to look at them. */
const KEPT_S = 7 * 86_400;
const NIGHT_KEPT_S = 60 * 86_400;
/** Workers say what they do each second; what is older is of one that died. */
export const BEAT_MS = 1_000;
const STALE_MS = 5 * BEAT_MS;

/** KEYS: counts, done. ARGV: chunk, seconds kept, then fields and what they grow by. A chunk counts once. */
const COUNT_CHUNK = new RedisScript(`
if redis.call('SADD', KEYS[2], ARGV[1]) == 0 then return 0 end
for i = 3, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
`);

/** KEYS: night, last night. ARGV: json, date, seconds kept. Answers the night as it stands. */
const BEGIN_NIGHT = new RedisScript(`
local known = redis.call('GET', KEYS[1])
if known then return known end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[2])
return ARGV[1]
`);

/** What batch workers tell each other and the API: counts, who does what, nights. All of it may be lost, and is only late then. */
export class BatchBoard {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** A run is planned: this is what there is to do. May be repeated. */
  async planRun(
    runId: string,
    plan: { readonly chunks: number; readonly durationMs: number },
  ): Promise<void> {
    const key = redisKeys.reencodeCounts(runId);
    await this.#redis.hset(key, plan);
    await this.#redis.expire(key, KEPT_S);
  }

  /** False when it counted already. */
  async countChunk(runId: string, done: ChunkDone): Promise<boolean> {
    const { durationMs, bytes, wasThere } = done;
    const busyMs = Math.round(done.busyMs);
    const fresh = wasThere ? [] : ['encodedMs', durationMs, 'busyMs', busyMs];
    const counted = await COUNT_CHUNK.run(
      this.#redis,
      [redisKeys.reencodeCounts(runId), redisKeys.reencodeDone(runId)],
      [done.index, KEPT_S, 'chunksDone', 1, 'doneMs', durationMs, 'bytes', bytes, ...fresh],
    );
    if (counted !== 1) return false;
    if (wasThere) await this.addTotals({ chunksFound: 1 });
    else await this.addTotals({ chunksEncoded: 1, encodedMs: durationMs, busyMs });
    return true;
  }

  async countRetry(runId: string): Promise<void> {
    await this.#redis.hincrby(redisKeys.reencodeCounts(runId), 'retries', 1);
    await this.addTotals({ chunkFailures: 1 });
  }

  /** Counts of a run, undefined until it is planned, and what is being encoded of it. */
  async readRun(
    runId: string,
    nowMs: number,
  ): Promise<{ readonly counts: RunCounts | undefined; readonly atWork: readonly ChunkAtWork[] }> {
    const [counts, working] = await Promise.all([
      this.#redis.hgetall(redisKeys.reencodeCounts(runId)),
      this.#redis.hgetall(redisKeys.reencodeAtWork(runId)),
    ]);
    return { counts: parseCounts(counts), atWork: fresh<ChunkAtWork>(working, nowMs) };
  }

  /** Says how far a chunk is, each second; `undefined` when it is through, or left. */
  async tellAtWork(
    runId: string,
    worker: string,
    chunk: number,
    part: ChunkAtWork | undefined,
    nowMs: number,
  ): Promise<void> {
    const key = redisKeys.reencodeAtWork(runId);
    const field = `${worker}#${chunk}`;
    if (part === undefined) await this.#redis.hdel(key, field);
    else {
      await this.#redis.hset(key, field, JSON.stringify({ ...part, atMs: nowMs }));
      await this.#redis.expire(key, KEPT_S);
    }
  }

  /** Says that a worker lives. */
  async beat(worker: BatchWorkerView, nowMs: number): Promise<void> {
    const text = JSON.stringify({ ...worker, atMs: nowMs });
    await this.#redis.hset(redisKeys.batchWorkers, worker.id, text);
  }

  async leave(workerId: string): Promise<void> {
    await this.#redis.hdel(redisKeys.batchWorkers, workerId);
  }

  /** Those that live; those that died are forgotten. */
  async readWorkers(nowMs: number): Promise<readonly BatchWorkerView[]> {
    const all = await this.#redis.hgetall(redisKeys.batchWorkers);
    const workers = fresh<BatchWorkerView>(all, nowMs);
    const ids = new Set(workers.map(({ id }) => id));
    const dead = Object.keys(all).filter((id) => !ids.has(id));
    if (dead.length > 0) await this.#redis.hdel(redisKeys.batchWorkers, ...dead);
    return workers;
  }

  /** Encoder time for a ms of source, by kind of profile. */
  async readCosts(): Promise<ReadonlyMap<string, number>> {
    const costs = await this.#redis.hgetall(redisKeys.batchCosts);
    return new Map(Object.entries(costs).map(([kind, cost]) => [kind, Number(cost)]));
  }

  /** Two at once may lose one of their measurements: it is an estimate. */
  async noteCost(kind: string, measured: number): Promise<void> {
    const before = await this.#redis.hget(redisKeys.batchCosts, kind);
    const cost = smoothCost(before === null ? undefined : Number(before), measured);
    await this.#redis.hset(redisKeys.batchCosts, kind, String(cost));
  }

  async addTotals(totals: Partial<Record<BatchTotal, number>>): Promise<void> {
    const pipeline = this.#redis.pipeline();
    for (const [name, by] of Object.entries(totals)) {
      pipeline.hincrby(redisKeys.batchTotals, name, Math.round(by));
    }
    await pipeline.exec();
  }

  async readTotals(): Promise<Readonly<Record<BatchTotal, number>>> {
    const totals = await this.#redis.hgetall(redisKeys.batchTotals);
    const names = Object.keys(BATCH_TOTALS) as BatchTotal[];
    return Object.fromEntries(names.map((name) => [name, Number(totals[name] ?? 0)])) as Record<
      BatchTotal,
      number
    >;
  }

  /** Begins a night, once for its name: resolves to the night as it stands. */
  async beginNight(night: Night, nowMs: number): Promise<NightRecord> {
    const record: NightRecord = { ...night, state: 'planning', begunAtMs: nowMs, deferred: 0 };
    const json = await BEGIN_NIGHT.run(
      this.#redis,
      [redisKeys.batchNight(night.date), redisKeys.batchLastNight],
      [JSON.stringify(record), night.date, NIGHT_KEPT_S],
    );
    return JSON.parse(String(json)) as NightRecord;
  }

  async findNight(date: string): Promise<NightRecord | undefined> {
    const json = await this.#redis.get(redisKeys.batchNight(date));
    return json === null ? undefined : (JSON.parse(json) as NightRecord);
  }

  /** The last one that began. */
  async findLastNight(): Promise<NightRecord | undefined> {
    const date = await this.#redis.get(redisKeys.batchLastNight);
    return date === null ? undefined : this.findNight(date);
  }

  /** A cancelled night stays cancelled. */
  async updateNight(date: string, change: Partial<NightRecord>): Promise<void> {
    const night = await this.findNight(date);
    if (night === undefined || night.state === 'cancelled') return;
    const json = JSON.stringify({ ...night, ...change });
    await this.#redis.set(redisKeys.batchNight(date), json, 'EX', NIGHT_KEPT_S);
  }

  async addToNight(date: string, runs: readonly NightRun[]): Promise<void> {
    if (runs.length === 0) return;
    const key = redisKeys.batchNightRuns(date);
    await this.#redis.sadd(key, ...runs.map(({ recordingId, runId }) => `${recordingId}/${runId}`));
    await this.#redis.expire(key, NIGHT_KEPT_S);
  }

  async listNight(date: string): Promise<readonly NightRun[]> {
    const members = await this.#redis.smembers(redisKeys.batchNightRuns(date));
    return members.map((member) => {
      const [recordingId = '', runId = ''] = member.split('/');
      return { recordingId, runId };
    });
  }
}

/** A run that a night works on, or has worked on. */
export type NightRun = { readonly recordingId: string; readonly runId: string };

const COUNTS: readonly (keyof RunCounts)[] = [
  'chunks',
  'chunksDone',
  'durationMs',
  'doneMs',
  'encodedMs',
  'busyMs',
  'retries',
  'bytes',
];

function parseCounts(fields: Readonly<Record<string, string>>): RunCounts | undefined {
  if (fields.durationMs === undefined) return undefined;
  return Object.fromEntries(
    COUNTS.map((name) => [name, Number(fields[name] ?? 0)]),
  ) as unknown as RunCounts;
}

/** What was said lately. We wrote it ourselves. */
function fresh<T>(fields: Readonly<Record<string, string>>, nowMs: number): T[] {
  return Object.values(fields)
    .map((json) => JSON.parse(json) as T & { readonly atMs: number })
    .filter(({ atMs }) => nowMs - atMs < STALE_MS)
    .map(({ atMs: _, ...rest }) => rest as unknown as T);
}
