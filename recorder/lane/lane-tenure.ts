import { asChalkreelError } from '../../src/errors.ts';
import { delay } from '../../src/lifecycle.ts';
import type { Log } from '../../src/log.ts';
import type { Claim, Lease, Leases } from '../../src/queue/leases.ts';
import type { LaneRecord } from './lane-record.ts';
import { ownershipLost, type HeldLease } from './lease-keeper.ts';
import type { PublishResult } from '../publish/publisher.ts';
import { retried } from '../retried.ts';

const OFFER_EVERY_MS = 1_000;

export type LaneTenureOptions = {
  readonly claim: Claim;
  readonly held: HeldLease;
  readonly leases: Leases;
  readonly record: LaneRecord;
  readonly lanes: 1 | 2;
  readonly log: Log;
  /** Aborts when the lane is over for this worker. */
  readonly signal: AbortSignal;
};

/** A worker's right to one lane: how it got it, keeps it, and passes it on. */
export class LaneTenure {
  readonly #options: LaneTenureOptions;
  /** False for a successor until its predecessor is relieved. */
  #isOwner: boolean;
  /** With two lanes: whether this one brought the last segment. */
  #isLeading: boolean;

  constructor(options: LaneTenureOptions) {
    this.#options = options;
    this.#isOwner = options.claim.role === 'owner';
    this.#isLeading = options.lanes === 1 || options.claim.lane === 0;
  }

  get isOwner(): boolean {
    return this.#isOwner;
  }

  /** Whether the recording's states and numbers are this lane's to write. */
  get isLeading(): boolean {
    return this.#isOwner && this.#isLeading;
  }

  get isLost(): boolean {
    return this.#options.held.standing.state !== 'held';
  }

  get lease(): Lease {
    return this.#options.held.lease;
  }

  confirm(): Promise<void> {
    return this.#options.held.confirm();
  }

  /** Another Chrome encodes: another epoch. False when the lease is lost. */
  async advance(): Promise<boolean> {
    const { leases, held, record, signal } = this.#options;
    const advanced = await retried(() => leases.advance(held.lease), signal);
    if (advanced === undefined) return false;
    held.renewAs(advanced);
    record.enterOwner(advanced);
    return true;
  }

  /** What became of a segment. A successor's first one that stands, or that its predecessor's stands for, relieves the predecessor. */
  async noteResult(n: number, result: PublishResult): Promise<void> {
    const { leases, held, record, log, signal, lanes } = this.#options;
    const isOurs = result === 'published';
    const wasLeading = this.#isLeading;
    this.#isLeading = isOurs || lanes === 1;
    if (this.#isLeading && !wasLeading) record.enterRecording();
    if (this.#isOwner) return;
    const { lease } = held;
    const from = isOurs ? n : n + 1;
    const isDone = await retried(() => leases.succeed(lease, from), signal);
    if (!isDone) throw ownershipLost(lease);
    this.#isOwner = true;
    log.info({ event: 'lane-joined', epoch: lease.epoch, from }, 'relieved the worker before');
    record.enterOwner(lease);
    record.loadEarlier().catch(() => undefined); // the lane is over
  }

  /** Offers the lane until somebody has taken it, or it is over. */
  async offer(): Promise<void> {
    const { leases, signal } = this.#options;
    while (!signal.aborted) {
      if (this.#isOwner) await leases.offer(this.lease).catch(() => false);
      await delay(OFFER_EVERY_MS, signal).catch(() => undefined);
    }
  }

  /** A successor in this very worker; undefined when there cannot be one now. */
  async succeedOneself(): Promise<Claim | undefined> {
    const { leases, log } = this.#options;
    if (!this.#isOwner) return undefined;
    const { lease } = this;
    const next = await leases.succeedOneself(lease).catch(() => undefined);
    if (next === undefined) return undefined;
    log.info({ event: 'browser-replaced', epoch: next.epoch }, 'a fresh browser takes over');
    return { ...next, role: 'successor', predecessor: lease.workerId };
  }

  /** Leaves the lane: an owner's can be taken at once. */
  async leave(): Promise<void> {
    const { leases, held } = this.#options;
    // No renewal may come after it.
    held.letGo();
    const left = this.#isOwner ? leases.release(held.lease) : leases.decline(held.lease);
    await left.catch(() => false);
  }

  /** The lane is through. True when the recording's end is this worker's to write. */
  async end(): Promise<boolean> {
    const { leases, signal } = this.#options;
    try {
      return (await retried(() => leases.end(this.lease), signal)) === 'last';
    } catch (error) {
      if (asChalkreelError(error).code === 'ownership-lost') return false;
      throw error;
    }
  }
}
