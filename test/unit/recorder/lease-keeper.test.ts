import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeaseKeeper } from '../../../recorder/lane/lease-keeper.ts';
import { createLog } from '../../../src/log.ts';
import { LEASE_TTL_MS, RENEW_EVERY_MS } from '../../../src/queue/lease-scripts.ts';
import type { Lease, Leases, Standing } from '../../../src/queue/leases.ts';

const LEASE: Lease = { recordingId: 'class', lane: 0, workerId: 'a', epoch: 3 };

/** A keeper whose Redis and clock are the test's. */
function open(): {
  readonly keeper: LeaseKeeper;
  readonly beats: (readonly Lease[])[];
  readonly answer: (standing: Standing | 'away') => void;
} {
  const beats: (readonly Lease[])[] = [];
  let standing: Standing | 'away' = { state: 'held' };
  const beat: Leases['beat'] = (_, leases) => {
    beats.push(leases);
    if (standing === 'away') return Promise.reject(new Error('Redis is away'));
    return Promise.resolve(leases.map(() => standing as Standing));
  };
  const keeper = new LeaseKeeper({
    workerId: 'a',
    leases: { beat },
    clock: { monotonicMs: () => performance.now() },
    log: createLog('test', 'silent'),
  });
  return { keeper, beats, answer: (next) => (standing = next) };
}

/** Whether a promise settles without time going by. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await vi.advanceTimersByTimeAsync(0);
  return settled;
}

describe('LeaseKeeper', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('renews all it holds once a second, and nothing it let go', async () => {
    const { keeper, beats } = open();
    const held = keeper.hold(LEASE);
    await vi.advanceTimersByTimeAsync(2 * RENEW_EVERY_MS);
    expect(beats).toEqual([[], [LEASE], [LEASE]]);
    held.renewAs({ ...LEASE, epoch: 4 });
    await vi.advanceTimersByTimeAsync(RENEW_EVERY_MS);
    expect(beats.at(-1)).toEqual([{ ...LEASE, epoch: 4 }]);
    held.letGo();
    await vi.advanceTimersByTimeAsync(RENEW_EVERY_MS);
    expect(beats.at(-1)).toEqual([]);
    await keeper.close();
  });

  it('is sure of a lease only for less than it lasts, and waits until Redis is in sight again', async () => {
    const { keeper, answer } = open();
    const held = keeper.hold(LEASE);
    answer('away');
    await vi.advanceTimersByTimeAsync(RENEW_EVERY_MS);
    expect(await isSettled(held.confirm())).toBe(true);
    await vi.advanceTimersByTimeAsync(LEASE_TTL_MS - RENEW_EVERY_MS);
    const confirmed = held.confirm();
    expect(await isSettled(confirmed)).toBe(false);
    answer({ state: 'held' });
    await vi.advanceTimersByTimeAsync(RENEW_EVERY_MS);
    await confirmed;
    await keeper.close();
  });

  it('tells of a lost lease within one renewal, and lets nothing be done under it', async () => {
    const { keeper, answer } = open();
    const held = keeper.hold(LEASE);
    answer({ state: 'lost' });
    await vi.advanceTimersByTimeAsync(RENEW_EVERY_MS);
    expect(await held.ended).toBe('lost');
    await expect(held.confirm()).rejects.toMatchObject({ code: 'ownership-lost' });
    await keeper.close();
  });

  it('lets a relieved owner publish what comes before its successor', async () => {
    const { keeper, answer } = open();
    const held = keeper.hold(LEASE);
    answer({ state: 'handed-over', from: 7 });
    await vi.advanceTimersByTimeAsync(RENEW_EVERY_MS);
    expect(await held.ended).toBe('handed-over');
    expect(held.standing).toEqual({ state: 'handed-over', from: 7 });
    await held.confirm();
    await keeper.close();
  });
});
