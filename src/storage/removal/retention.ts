import { expiryOf } from '../../model/recording.ts';
import { isPinning } from './pins.ts';
import { beginRemoval, removeWhatIsFree, type RemovalServices } from './remove-recording.ts';

/** Recordings whose deletion begins, and shares that are forgotten, in one sweep: the rest has its turn in the next. */
const MAX_RECORDINGS = 500;
const MAX_SHARES = 5000;

/** Which highlights a deletion waited for when it was looked last, by recording: while they are the same there is nothing to do. */
export type Waiting = Map<string, string>;

/** What a sweep did. */
export type Sweep = {
  /** Recordings whose time was over. */
  readonly expired: number;
  /** Recordings of which nothing is left. */
  readonly removed: number;
  /** Recordings with segments that clips still need. */
  readonly waiting: number;
  readonly bytes: number;
  readonly expiredShares: number;
};

/**
 * Deletes recordings whose time is over, goes on with deletions that were cut short or had to wait for clips, and forgets expired shares.
 * Two at once do no harm. `onStep` is called before each recording, and ends the sweep when it resolves to false.
 */
export async function sweep(
  services: RemovalServices,
  options: {
    readonly nowMs: number;
    readonly onStep?: () => Promise<boolean>;
    /** Kept from sweep to sweep. */
    readonly known?: Waiting;
  },
): Promise<Sweep> {
  const { recordings, shares } = services;
  const { nowMs, onStep = () => Promise.resolve(true), known = new Map() as Waiting } = options;
  const when = (recording: Parameters<typeof expiryOf>[0]): boolean => isExpired(recording, nowMs);
  const expired = await recordings.listExpired(nowMs, MAX_RECORDINGS);
  for (const id of expired) await beginRemoval(id, services, { nowMs, when });
  let [removed, waiting, bytes] = [0, 0, 0];
  for (const id of await recordings.listDeleting()) {
    if (!(await onStep())) break;
    if (await isStillWaiting(id, services, known)) {
      waiting += 1;
      continue;
    }
    const removal = await removeWhatIsFree(id, services, { nowMs });
    bytes += removal.bytes;
    known.set(id, [...removal.pinnedBy].join());
    if (removal.pinnedBy.length === 0) {
      known.delete(id);
      removed += 1;
    } else {
      waiting += 1;
    }
  }
  const expiredShares = await shares.removeExpired(nowMs, MAX_SHARES);
  return { expired: expired.length, removed, waiting, bytes, expiredShares };
}

async function isStillWaiting(
  id: string,
  { highlights }: RemovalServices,
  known: Waiting,
): Promise<boolean> {
  const before = known.get(id);
  if (before === undefined) return false;
  const pinning = (await highlights.listByRecording(id)).filter(isPinning);
  return pinning.map((highlight) => highlight.id).join() === before;
}

function isExpired(recording: Parameters<typeof expiryOf>[0], nowMs: number): boolean {
  const expiresAtMs = expiryOf(recording);
  return expiresAtMs !== null && expiresAtMs <= nowMs;
}
