import type { Redis } from 'ioredis';
import type { RedisScript } from '../storage/redis-script.ts';
import { redisKeys } from '../storage/redis-keys.ts';
import { readFleetMs } from './fleet-time.ts';
import { parseRef, refOf, type LaneRef } from './lane-ref.ts';
import {
  ADVANCE,
  BEAT,
  BEGIN,
  CLAIM,
  CLOSE,
  END,
  LEASE_KEYS,
  RECONCILE,
  SUCCEED,
  SUCCEED_ONESELF,
  TELL,
} from './lease-scripts.ts';

/** Most lanes a recording may have. */
const MAX_LANES = 2;
/** States of recordings that are not over; all but the first are somebody's. */
const OPEN_STATES = ['queued', 'starting', 'recording', 'stopping'] as const;

/** A worker's right to make a lane. The epoch of a lane only grows. */
export type Lease = LaneRef & { readonly workerId: string; readonly epoch: number };

/** A lane just taken. */
export type Claim = Lease & {
  /** `successor`: its owner still records, and is relieved by the first segment that is appended. */
  readonly role: 'owner' | 'successor';
  /** Who had it before. */
  readonly predecessor: string | undefined;
};

/** How a worker stands to a lease. */
export type Standing =
  /** `next`: as a successor that has not appended yet. */
  | { readonly state: 'held' | 'next' | 'lost' }
  /** To a successor, which has appended this number and those after it. */
  | { readonly state: 'handed-over'; readonly from: number };

export type ClaimOptions = {
  readonly most: number;
  /** Lanes not wanted for now. */
  readonly except?: readonly LaneRef[];
  /** Whether a worker that is alone in the fleet may make both lanes of a recording. */
  readonly isDoubleAllowed?: boolean;
};

/**
 * Who records what. A lease lapses 4 s after it was last renewed; then any worker may take it, which its last owner may prevent by renewing
 * it first. Nothing is taken for 4 s after Redis was away from everybody. All decisions are made in Redis, by its clock; everything
 * throws when Redis is away, and may be repeated.
 */
export type Leases = {
  /** Begins a recording nobody has begun, and takes its first lane; undefined when somebody has. */
  begin(recordingId: string, lanes: number, workerId: string): Promise<Lease | undefined>;
  /** Says that a worker is alive, and renews all its leases in one step. */
  beat(workerId: string, leases: readonly Lease[]): Promise<readonly Standing[]>;
  /** Takes lanes that are offered, or that nobody has. */
  claim(workerId: string, options: ClaimOptions): Promise<readonly Claim[]>;
  /** A new epoch for the same worker; undefined when the lease is lost. */
  advance(lease: Lease): Promise<Lease | undefined>;
  /** Offers a lane to other workers: one of them becomes its successor. */
  offer(lease: Lease): Promise<boolean>;
  /** Makes the owner its own successor, for a second Chrome; undefined when the lease is lost or has a successor. */
  succeedOneself(lease: Lease): Promise<Lease | undefined>;
  /** The successor has appended `from`: the lane is its own now. False when somebody else has it. */
  succeed(lease: Lease, from: number): Promise<boolean>;
  /** A successor gives up. */
  decline(lease: Lease): Promise<boolean>;
  /** The owner leaves its lane to be taken at once. */
  release(lease: Lease): Promise<boolean>;
  /** A lane is through. `last`: no other is at work, so its owner writes the recording's end, then closes it. */
  end(lease: Lease): Promise<'last' | 'others' | 'lost'>;
  /** A recording is over: its lanes are nobody's any more. */
  close(recordingId: string): Promise<void>;
  /**
   * Lets lanes of recordings that should run, and that nobody knows of, be taken. Resolves to recordings that have been queued for some
   * seconds: their jobs may be lost. Every worker may call it at any time: one of them does it, each 5 s.
   */
  reconcile(): Promise<readonly string[]>;
  /** Whether a worker has been heard of within 4 s. */
  isAlive(workerId: string): Promise<boolean>;
};

/** Opens the leases. `fleetNowMs` is this worker's idea of Redis's time: what is asked too long ago is not done. */
export function openLeases(redis: Redis, fleetNowMs: () => number): Leases {
  const run = (script: RedisScript, ...args: readonly (string | number)[]): Promise<unknown> =>
    script.run(redis, LEASE_KEYS, args);
  const onLease = (
    script: RedisScript,
    lease: Lease,
    ...args: readonly (string | number)[]
  ): Promise<unknown> => run(script, lease.workerId, refOf(lease), lease.epoch, ...args);
  const tell = async (lease: Lease, what: 'offer' | 'release' | 'decline'): Promise<boolean> =>
    (await onLease(TELL, lease, what)) === 1;
  const advanced = (lease: Lease, epoch: unknown): Lease | undefined =>
    typeof epoch === 'number' ? { ...lease, epoch } : undefined;
  return {
    async begin(recordingId, lanes, workerId) {
      const refs = Array.from({ length: lanes }, (_, lane) => refOf({ recordingId, lane }));
      const epoch = await run(BEGIN, workerId, ...refs);
      return advanced({ recordingId, lane: 0, workerId, epoch: 0 }, epoch);
    },
    async beat(workerId, leases) {
      const args = leases.flatMap((lease) => [refOf(lease), lease.epoch]);
      return ((await run(BEAT, workerId, ...args)) as string[]).map(parseStanding);
    },
    async claim(workerId, { most, except = [], isDoubleAllowed = false }) {
      const sentAtMs = Math.round(fleetNowMs());
      const args = [workerId, sentAtMs, most, isDoubleAllowed ? 1 : 0, ...except.map(refOf)];
      const claims = (await run(CLAIM, ...args)) as ClaimReply[] | null;
      return (claims ?? []).map((reply) => parseClaim(reply, workerId));
    },
    advance: async (lease) => advanced(lease, await onLease(ADVANCE, lease)),
    offer: (lease) => tell(lease, 'offer'),
    succeedOneself: async (lease) => advanced(lease, await onLease(SUCCEED_ONESELF, lease)),
    succeed: async (lease, from) => (await onLease(SUCCEED, lease, from)) === 1,
    decline: (lease) => tell(lease, 'decline'),
    release: (lease) => tell(lease, 'release'),
    end: async (lease) => (await onLease(END, lease)) as 'last' | 'others' | 'lost',
    async close(recordingId) {
      const refs = Array.from({ length: MAX_LANES }, (_, lane) => refOf({ recordingId, lane }));
      await run(CLOSE, ...refs);
    },
    async reconcile() {
      const states = OPEN_STATES.map((state) => redisKeys.recordingsInState(state));
      const queued = await RECONCILE.run(redis, [...LEASE_KEYS, ...states], []);
      return (queued ?? []) as string[];
    },
    async isAlive(workerId) {
      // To the millisecond, as the scripts have it: in whole seconds the dead would seem alive when their lease is taken.
      const nowMs = await readFleetMs(redis);
      const untilMs = await redis.zscore(redisKeys.workers, workerId);
      return untilMs !== null && Number(untilMs) > nowMs;
    },
  };
}

type ClaimReply = readonly [ref: string, epoch: number, role: Claim['role'], predecessor: string];

function parseClaim([ref, epoch, role, predecessor]: ClaimReply, workerId: string): Claim {
  return {
    ...parseRef(ref),
    workerId,
    epoch,
    role,
    predecessor: predecessor === '' ? undefined : predecessor,
  };
}

function parseStanding(text: string): Standing {
  if (text === 'held' || text === 'next' || text === 'lost') return { state: text };
  return { state: 'handed-over', from: Number(text) };
}
