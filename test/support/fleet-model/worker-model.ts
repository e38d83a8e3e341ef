import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openFleetPublisher } from '../../../recorder/publish/fleet-publisher.ts';
import { LeaseKeeper, ownershipLost, type HeldLease } from '../../../recorder/lane/lease-keeper.ts';
import { PublishQueue } from '../../../recorder/publish/publish-queue.ts';
import type { SegmentPublisher } from '../../../recorder/publish/publisher.ts';
import type { ClosedSegment } from '../../../recorder/publish/segmenter.ts';
import { systemClock } from '../../../src/clock.ts';
import { delay } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import { segmentAt, segmentStartMs } from '../../../src/model/grid.ts';
import type { SegmentEntry } from '../../../src/model/segment.ts';
import { RENEW_EVERY_MS } from '../../../src/queue/lease-scripts.ts';
import { openLeases, type Claim, type Lease, type Leases } from '../../../src/queue/leases.ts';
import type { ObjectStore } from '../../../src/storage/objects/object-store.ts';
import type { AppendResult, SegmentIndex } from '../../../src/storage/index/segment-index.ts';
import type { Redis } from 'ioredis';
import type { StallingProcess } from './stalling-process.ts';

const log = createLog('model', 'silent');

/** What a successor's predecessor has made before its first segment is published within this. */
const RELIEF_TIMEOUT_MS = 5_000;
const RELIEF_POLL_MS = 50;

/** An append as Redis answered it; `role` is how its maker got the lane. */
export type Appended = {
  readonly entry: SegmentEntry;
  readonly role: Claim['role'];
  readonly result: AppendResult;
};

export type WorkerModelOptions = {
  readonly id: string;
  readonly recordingId: string;
  readonly lanes: number;
  readonly originMs: number;
  readonly redis: Redis;
  readonly store: ObjectStore;
  readonly segments: SegmentIndex;
  readonly process: StallingProcess;
  /** How far its idea of the fleet's time is off, ms. */
  readonly clockErrorMs: number;
  readonly storeDelaysMs: readonly number[];
  /** Folder for its spool. */
  readonly folder: string;
  /** In the order in which Redis has done them. */
  readonly onAppended: (appended: Appended) => void;
  /** Nothing new is recorded from then on. */
  readonly signal: AbortSignal;
};

/**
 * A worker with everything real but its Chrome: leases, lease keeper, publish queue and publisher; its segments come by the clock. Every
 * step goes through a process that may stand still. `run` resolves when it is told to end and all it had is published or refused.
 */
export class WorkerModel {
  readonly #options: WorkerModelOptions;
  readonly #leases: Leases;
  readonly #keeper: LeaseKeeper;
  readonly #recordings = new Set<Promise<void>>();
  readonly #held = new Set<HeldLease>();
  #isDraining = false;

  constructor(options: WorkerModelOptions) {
    this.#options = options;
    const leases = openLeases(options.redis, () => this.#nowMs());
    this.#leases = {
      ...leases,
      claim: (...args) => options.process.step('claim', () => leases.claim(...args)),
      beat: (...args) => options.process.step('beat', () => leases.beat(...args)),
    };
    this.#keeper = new LeaseKeeper({
      workerId: options.id,
      leases: this.#leases,
      clock: systemClock,
      log,
    });
  }

  /** Begins the recording, as the worker does that gets its job. */
  async begin(): Promise<void> {
    const { recordingId, lanes, id } = this.#options;
    const lease = await this.#leases.begin(recordingId, lanes, id);
    if (lease === undefined) throw new Error('Expected a recording nobody has begun');
    this.#record({ ...lease, role: 'owner', predecessor: undefined });
  }

  /** Takes nothing more, and offers what it has to the others. */
  drain(): void {
    this.#isDraining = true;
  }

  async run(): Promise<void> {
    const { signal, id } = this.#options;
    while (await restOf(signal)) {
      if (this.#isDraining) {
        for (const { lease } of this.#held) await this.#leases.offer(lease).catch(() => false);
        continue;
      }
      const claims = await this.#leases.claim(id, { most: 1 }).catch(() => []);
      for (const claim of claims) this.#record(claim);
    }
    while (this.#recordings.size > 0) await Promise.all(this.#recordings);
    await this.#keeper.close();
  }

  #nowMs(): number {
    return Date.now() + this.#options.clockErrorMs;
  }

  #record(claim: Claim): void {
    const held = this.#keeper.hold(claim);
    this.#held.add(held);
    const recording: Promise<void> = this.#makeSegments(claim, held).finally(() => {
      held.letGo();
      this.#held.delete(held);
      this.#recordings.delete(recording);
    });
    this.#recordings.add(recording);
  }

  /** Makes a segment at each boundary until the lease is gone or all is over; then waits until what is made is published or refused. */
  async #makeSegments(claim: Claim, held: HeldLease): Promise<void> {
    const { recordingId, originMs, segments, signal, process } = this.#options;
    const lost = new AbortController();
    const isOver = AbortSignal.any([signal, lost.signal]);
    const queue = new PublishQueue({ onFailed: () => lost.abort() });
    let closed = -1;
    void held.ended.then(async () => {
      const { standing } = held;
      // A successor has begun: what comes before its first segment is still ours to bring.
      const isThrough = (): boolean =>
        standing.state !== 'handed-over' || (closed >= standing.from - 1 && queue.isEmpty);
      const deadline = performance.now() + RELIEF_TIMEOUT_MS;
      while (!isThrough() && performance.now() < deadline) await delay(RELIEF_POLL_MS);
      lost.abort();
    });
    const publisher = this.#openPublisher(claim, held, lost.signal);
    const last = await segments.findLast(recordingId);
    const next = Math.max(segmentAt(this.#nowMs(), originMs) + 1, (last?.n ?? -1) + 1);
    for (let n = Math.max(0, next); ; n += 1) {
      const endMs = segmentStartMs(n + 1, originMs);
      await delay(Math.max(0, endMs - this.#nowMs()), isOver).catch(() => undefined);
      await process.pass();
      if (isOver.aborted) break;
      queue.add(await this.#spool(held.lease, n), publisher);
      closed = n;
    }
    await queue.settled().catch(() => undefined);
  }

  async #spool({ lane, epoch }: Lease, n: number): Promise<ClosedSegment> {
    const { folder, originMs } = this.#options;
    const file = path.join(folder, `${n}-${lane}-${epoch}.ts`);
    await writeFile(file, `${n} ${lane} ${epoch}`);
    const startMs = segmentStartMs(n, originMs);
    const accessUnits = { pts90k: 0, pictures: [], frames: [] };
    return { n, startMs, file, bytes: 1, codecHash: 'codec', accessUnits };
  }

  #openPublisher(claim: Claim, held: HeldLease, signal: AbortSignal): SegmentPublisher {
    const { recordingId, segments, process, onAppended, lanes, originMs } = this.#options;
    const { lane, epoch, role } = claim;
    let isOwner = role === 'owner';
    const succeed = async (from: number): Promise<void> => {
      if (!isOwner && !(await this.#leases.succeed(held.lease, from)))
        throw ownershipLost(held.lease);
      isOwner = true;
    };
    const publisher = openFleetPublisher({
      recordingId,
      lane,
      epoch,
      store: this.#delayingStore(),
      segments: withChanges(segments, {
        append: (id, entry) =>
          process.step('append', async () => {
            const result = await segments.append(id, entry);
            onAppended({ entry, role, result });
            return result;
          }),
      }),
      nowMs: () => this.#nowMs(),
      log,
      signal,
      confirmOwnership: () => held.confirm(),
      ...(lanes > 1 ? { sharedOriginMs: () => originMs } : {}),
      onAppended: ({ n }) => succeed(n),
    });
    return {
      publish: async (segment) => {
        const result = await publisher.publish(segment);
        if (result === 'superseded') await succeed(segment.n + 1);
        return result;
      },
    };
  }

  #delayingStore(): ObjectStore {
    const { store, process, storeDelaysMs } = this.#options;
    let operations = 0;
    const late = async (): Promise<void> => {
      await delay(storeDelaysMs[operations % storeDelaysMs.length] ?? 0);
      operations += 1;
    };
    return withChanges(store, {
      find: (key) =>
        process.step('find', async () => {
          await late();
          return store.find(key);
        }),
      putOnce: (key, body) =>
        process.step('put', async () => {
          await late();
          await store.putOnce(key, body);
        }),
    });
  }
}

/** Waits until leases are looked at again; false when that is not to be. */
async function restOf(signal: AbortSignal): Promise<boolean> {
  await delay(RENEW_EVERY_MS, signal).catch(() => undefined);
  return !signal.aborted;
}

/** The same object, some of its methods replaced. */
function withChanges<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => {
      const changed: unknown = Reflect.get(changes, name);
      if (changed !== undefined) return changed;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
