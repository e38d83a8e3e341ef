import type { Clock } from '../../src/clock.ts';
import { ChalkreelError } from '../../src/errors.ts';
import { deferred, type Closable } from '../../src/lifecycle.ts';
import type { Log } from '../../src/log.ts';
import { LEASE_TTL_MS, RENEW_EVERY_MS } from '../../src/queue/lease-scripts.ts';
import type { Lease, Leases, Standing } from '../../src/queue/leases.ts';

/** A lease confirmed longer ago than this may lapse before what is done under it is done. */
const SURE_MS = LEASE_TTL_MS - RENEW_EVERY_MS;

export type LeaseKeeperOptions = {
  readonly workerId: string;
  readonly leases: Pick<Leases, 'beat'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
};

/** Keeps a worker's leases: renews them all once a second, and knows how each stands. Close it when nothing is held any more. */
export class LeaseKeeper implements Closable {
  readonly workerId: string;
  readonly #options: LeaseKeeperOptions;
  readonly #held = new Set<HeldLease>();
  readonly #timer: NodeJS.Timeout;
  #isInSight = true;
  #beating: Promise<void> | undefined;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.workerId = options.workerId;
    this.#timer = setInterval(() => {
      this.#beatOnce();
    }, RENEW_EVERY_MS);
    this.#beatOnce();
  }

  /** Renews a lease just taken from now on, until it is let go. */
  hold(lease: Lease): HeldLease {
    const held = new HeldLease(lease, this.#options.clock, () => this.#held.delete(held));
    this.#held.add(held);
    return held;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
  }

  #beatOnce(): void {
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = undefined;
    });
  }

  async #beat(): Promise<void> {
    const { leases, clock, workerId, log } = this.#options;
    const sentAtMs = clock.monotonicMs();
    const asked = [...this.#held].map((held) => ({ held, lease: held.lease }));
    try {
      const standings = await leases.beat(
        workerId,
        asked.map(({ lease }) => lease),
      );
      asked.forEach(({ held, lease }, i) => {
        const standing = standings[i];
        // One advanced meanwhile was confirmed by that.
        if (standing !== undefined && held.lease === lease) held.take(standing, sentAtMs);
      });
      if (!this.#isInSight) log.info({ event: 'leases-in-sight' }, 'leases are renewed again');
      this.#isInSight = true;
    } catch (error) {
      if (this.#isInSight) {
        log.warn({ event: 'leases-out-of-sight', err: error }, 'leases cannot be renewed');
      }
      this.#isInSight = false;
    }
  }
}

/** One lease as its holder knows it. */
export class HeldLease {
  /** Settles when the lease is gone: lost to somebody, or to a successor that has begun. */
  readonly ended: Promise<Exclude<Standing['state'], 'held' | 'next'>>;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #letGo: () => void;
  readonly #end = deferred<'lost' | 'handed-over'>();
  #lease: Lease;
  #confirmedAtMs: number;
  #confirmation = deferred();
  #standing: Standing | undefined;

  constructor(lease: Lease, clock: Pick<Clock, 'monotonicMs'>, letGo: () => void) {
    this.#lease = lease;
    this.#clock = clock;
    this.#letGo = letGo;
    this.#confirmedAtMs = clock.monotonicMs();
    this.ended = this.#end.promise;
  }

  get lease(): Lease {
    return this.#lease;
  }

  /** Its end, once that has come. */
  get standing(): Standing {
    return this.#standing ?? { state: 'held' };
  }

  /**
   * Resolves while the lease is surely ours, or was handed over (its successor's first segment is the fence then); waits while that
   * cannot be known; throws `ownership-lost`.
   */
  async confirm(): Promise<void> {
    while (this.#standing === undefined) {
      if (this.#clock.monotonicMs() - this.#confirmedAtMs < SURE_MS) return;
      await Promise.race([this.#confirmation.promise, this.#end.promise]);
    }
    if (this.#standing.state === 'lost') throw ownershipLost(this.#lease);
  }

  /** What Redis said of it, asked at `askedAtMs` (monotonic). */
  take(standing: Standing, askedAtMs: number): void {
    if (standing.state === 'lost' || standing.state === 'handed-over') {
      this.#standing ??= standing;
      this.letGo();
      this.#end.resolve(standing.state);
      return;
    }
    this.#confirmedAtMs = Math.max(this.#confirmedAtMs, askedAtMs);
    this.#confirmation.resolve();
    this.#confirmation = deferred();
  }

  /** The same lane under a new epoch, just given. */
  renewAs(lease: Lease): void {
    this.#lease = lease;
    this.#confirmedAtMs = this.#clock.monotonicMs();
  }

  /** Renews it no more. */
  letGo(): void {
    this.#letGo();
  }
}

/** A lease that somebody else has now. */
export function ownershipLost({ recordingId, lane }: Lease): ChalkreelError {
  return new ChalkreelError(
    'ownership-lost',
    `lane ${lane} of recording ${recordingId} is another worker's now`,
  );
}
