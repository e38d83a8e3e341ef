import { expiryOf } from '../model/recording.ts';
import { beginRemoval, removeWhatIsFree, type RemovalServices } from './remove-recording.ts';

/** Recordings and shares looked at in one sweep: the rest has its turn in the next. */
const MAX_RECORDINGS = 500;
const MAX_SHARES = 5000;

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
  options: { readonly nowMs: number; readonly onStep?: () => Promise<boolean> },
): Promise<Sweep> {
  const { recordings, shares } = services;
  const { nowMs, onStep = () => Promise.resolve(true) } = options;
  const isOver = {
    nowMs,
    when: (recording: Parameters<typeof expiryOf>[0]) => isExpired(recording, nowMs),
  };
  const expired = await recordings.listExpired(nowMs, MAX_RECORDINGS);
  for (const id of expired) await beginRemoval(id, services, isOver);
  let [removed, waiting, bytes] = [0, 0, 0];
  for (const id of await recordings.listDeleting(MAX_RECORDINGS)) {
    if (!(await onStep())) break;
    const removal = await removeWhatIsFree(id, services, { nowMs });
    bytes += removal.bytes;
    if (removal.pinnedBy.length === 0) removed += 1;
    else waiting += 1;
  }
  const expiredShares = await shares.removeExpired(nowMs, MAX_SHARES);
  return { expired: expired.length, removed, waiting, bytes, expiredShares };
}

function isExpired(recording: Parameters<typeof expiryOf>[0], nowMs: number): boolean {
  const expiresAtMs = expiryOf(recording);
  return expiresAtMs !== null && expiresAtMs <= nowMs;
}
