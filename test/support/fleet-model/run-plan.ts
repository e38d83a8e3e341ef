import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import { delay, Resources } from '../../../src/lifecycle.ts';
import { boundaryAtOrBefore } from '../../../src/model/grid.ts';
import type { SegmentEntry } from '../../../src/model/segment.ts';
import { FolderStore } from '../../../src/storage/objects/folder-store.ts';
import type { ObjectStore } from '../../../src/storage/objects/object-store.ts';
import { redisKeys } from '../../../src/storage/redis-keys.ts';
import { RedisSegmentIndex } from '../../../src/storage/index/redis-segment-index.ts';
import type { FleetPlan } from './plan.ts';
import { StallingProcess } from './stalling-process.ts';
import { WorkerModel, type Appended } from './worker-model.ts';

const RECORDING = 'recording';
/** How long nobody may own a recording whose owner's lease has lapsed: a claim each second, and what a busy machine takes. */
const MAX_OWNERLESS_MS = 2_500;
const WATCH_EVERY_MS = 100;

/** What became of a plan. */
export type PlanOutcome = {
  /** What must never be, in words; none when all is well. */
  readonly violations: readonly string[];
  readonly appended: number;
  /** Appends the index refused: without any the fence was not tried. */
  readonly refused: number;
  /** Epochs that have published, less the first of each lane. */
  readonly takeovers: number;
};

export type RunPlanOptions = {
  readonly socket: string;
  /** Of the Redis server: each plan has one of its own. */
  readonly database: number;
  readonly folder: string;
  /** How long it is recorded, ms. */
  readonly lengthMs: number;
  /** Test-only: a client that changes scripts under way. */
  readonly tamper?: (redis: Redis) => Redis;
};

/** Runs workers over one recording as planned, watches it as a player and a person would, and says what was wrong. */
export async function runPlan(plan: FleetPlan, options: RunPlanOptions): Promise<PlanOutcome> {
  const resources = new Resources();
  try {
    const plain = new Redis({ path: options.socket, db: options.database });
    resources.defer(() => plain.disconnect());
    await plain.hset(redisKeys.generation, 'id', 'model', 'phase', 'complete');
    // A fleet that has run for a while: on a new Redis nothing would be taken for the first 4 s.
    await plain.hset(redisKeys.leasesSeen, 'seen', Date.now(), 'since', 0);
    const redis = options.tamper?.(plain) ?? plain;
    const segments = new RedisSegmentIndex({ redis, openSubscriber: () => plain.duplicate() });
    const store = await FolderStore.open(path.join(options.folder, 'store'));
    const originMs = boundaryAtOrBefore(Date.now());
    const end = new AbortController();
    const appended: Appended[] = [];
    const violations: string[] = [];
    const processes: StallingProcess[] = [];
    const workers: WorkerModel[] = [];
    for (let i = 0; i < plan.workers; i += 1) {
      const folder = path.join(options.folder, `spool-${i}`);
      await mkdir(folder);
      const process = new StallingProcess(plan.stalls.filter(({ worker }) => worker === i));
      processes.push(process);
      workers.push(
        new WorkerModel({
          ...{ id: `worker-${i}`, recordingId: RECORDING, lanes: plan.lanes, originMs },
          ...{ redis, store, segments, process, folder, signal: end.signal },
          clockErrorMs: plan.clockErrorsMs[i] ?? 0,
          storeDelaysMs: plan.storeDelaysMs,
          onAppended: (one) => appended.push(one),
        }),
      );
    }
    await workers[0]?.begin();
    const running = workers.map((worker) => worker.run());
    const watching = [
      watchOrder(segments, originMs, end.signal, violations),
      watchOwners(plain, plan.lanes, end.signal, violations),
    ];
    const draining = plan.drains.map(async ({ worker, atMs }) => {
      await delay(atMs);
      workers[worker]?.drain();
    });
    await delay(options.lengthMs);
    await Promise.all(draining);
    end.abort();
    for (const process of processes) process.wake();
    await Promise.all([...running, ...watching]);
    const entries = await segments.readAll(RECORDING);
    violations.push(...judgeAppends(appended), ...(await judgeIndex(entries, appended, store)));
    const makers = new Set(entries.map(({ lane, epoch }) => `${lane}-${epoch}`));
    const lanes = new Set(entries.map(({ lane }) => lane));
    return {
      violations,
      appended: entries.length,
      refused: appended.filter(({ result }) => !result.appended).length,
      takeovers: makers.size - lanes.size,
    };
  } finally {
    await resources.close();
  }
}

/** A reader who asks again and again, as the api does: what was served stays, and only more comes behind it. */
async function watchOrder(
  segments: RedisSegmentIndex,
  originMs: number,
  signal: AbortSignal,
  violations: string[],
): Promise<void> {
  let served: readonly SegmentEntry[] = [];
  let decided = -1;
  while (!signal.aborted) {
    const { last } = await segments.settle(RECORDING, { originMs });
    const entries = await segments.read(RECORDING);
    const before = served.map(({ place }) => place.object).join();
    const after = entries.slice(0, served.length).map(({ place }) => place.object);
    if (after.join() !== before)
      violations.push(`what was served changed: ${before}: ${after.join()}`);
    const added = entries.slice(served.length);
    for (const { n } of added) {
      if (n <= (served.at(-1)?.n ?? -1))
        violations.push(`${n} was put behind ${served.at(-1)?.n ?? -1}`);
    }
    if (added.some(({ n }) => n <= decided))
      violations.push(`up to ${decided} was decided, and then came ${added[0]?.n ?? ''}`);
    served = entries;
    decided = Math.max(decided, last);
    await delay(WATCH_EVERY_MS, signal).catch(() => undefined);
  }
}

/** Some lane of the recording is always somebody's, or has just lapsed. */
async function watchOwners(
  redis: Redis,
  lanes: number,
  signal: AbortSignal,
  violations: string[],
): Promise<void> {
  while (!signal.aborted) {
    const [seconds, micros] = (await redis.time()) as unknown as [string, string];
    const nowMs = Number(seconds) * 1000 + Number(micros) / 1000;
    const untilMs = await Promise.all(
      Array.from({ length: lanes }, async (_, lane) =>
        Number(await redis.zscore(redisKeys.leases, `${RECORDING}/${lane}`)),
      ),
    );
    const ownerlessMs = nowMs - Math.max(...untilMs);
    if (ownerlessMs > MAX_OWNERLESS_MS) {
      violations.push(`nobody owned the recording for ${Math.round(ownerlessMs)} ms`);
      return;
    }
    await delay(WATCH_EVERY_MS, signal).catch(() => undefined);
  }
}

/**
 * In the order in which Redis did them: one object a number; and nobody publishes after a successor in his lane has, unless he handed
 * over to it, and then only what comes before its first number.
 */
function judgeAppends(appended: readonly Appended[]): string[] {
  const violations: string[] = [];
  const objects = new Map<number, string>();
  const begun: Appended[] = [];
  for (const one of appended) {
    if (!one.result.appended) continue;
    const { n, lane, epoch, place } = one.entry;
    const other = objects.get(n) ?? place.object;
    if (other !== place.object) violations.push(`two objects for ${n}: ${other}, ${place.object}`);
    // An append whose answer was lost is repeated, and answered as the first.
    const isAgain = objects.has(n);
    objects.set(n, place.object);
    const inLane = begun.filter(({ entry }) => entry.lane === lane);
    if (!inLane.some(({ entry }) => entry.epoch === epoch)) begun.push(one);
    const successor = inLane.find(
      ({ entry, role }) => entry.epoch > epoch && (role === 'owner' || n >= entry.n),
    );
    if (successor !== undefined && !isAgain)
      violations.push(
        `lane ${lane}: ${n} of epoch ${epoch} was published after ${successor.entry.n} of epoch ${successor.entry.epoch}`,
      );
  }
  return violations;
}

/** What was acknowledged stands, once, and is there to be read. */
async function judgeIndex(
  entries: readonly SegmentEntry[],
  appended: readonly Appended[],
  store: ObjectStore,
): Promise<string[]> {
  const violations: string[] = [];
  const listed = new Set(entries.map(({ place }) => place.object));
  for (const { entry, result } of appended)
    if (result.appended && !listed.has(entry.place.object))
      violations.push(`${entry.place.object} was acknowledged and is not listed`);
  if (new Set(entries.map(({ n }) => n)).size < entries.length)
    violations.push(`a number is listed twice: ${entries.map(({ n }) => n).join()}`);
  for (const object of listed)
    if ((await store.find(object)) === undefined) violations.push(`${object} is listed and gone`);
  return violations;
}
