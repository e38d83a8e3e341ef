import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { LEASE_TTL_MS } from '../../../src/queue/lease-scripts.ts';
import { openLeases, type Lease, type Leases } from '../../../src/queue/leases.ts';
import { redisKeys } from '../../../src/storage/redis-keys.ts';
import { sampleEntry, sampleRecording } from '../../support/sample-records.ts';
import { openTestServices, type TestServices } from '../../support/test-services.ts';
import { waitUntil } from '../../support/wait-until.ts';

const HELD = [{ state: 'held' }];
const LOST = [{ state: 'lost' }];
const NEXT = [{ state: 'next' }];

let services: TestServices;
let leases: Leases;
let id = '';
let count = 0;

beforeAll(async () => {
  services = await openTestServices();
  leases = openLeases(services.redis.client, () => Date.now());
});
afterAll(() => services.close());
beforeEach(async () => {
  id = `class-${(count += 1)}`;
  await services.redis.client.del(redisKeys.leases, redisKeys.leaseOffers, redisKeys.workers);
  await seenFor(LEASE_TTL_MS + 1000);
});

/** As if some worker had come by without a break for so long, until now. */
async function seenFor(ms: number): Promise<void> {
  const nowMs = Date.now();
  await services.redis.client.hset(redisKeys.leasesSeen, { seen: nowMs, since: nowMs - ms });
}

/** As if it had last been renewed one TTL ago. */
async function lapse(lane = 0): Promise<void> {
  await services.redis.client.zadd(redisKeys.leases, Date.now() - 1, `${id}/${lane}`);
}

async function begin(workerId = 'a', lanes = 1): Promise<Lease> {
  const lease = await leases.begin(id, lanes, workerId);
  if (lease === undefined) throw new Error('Expected a lease');
  return lease;
}

async function claimOne(workerId: string): Promise<Lease> {
  const claims = await leases.claim(workerId, { most: 5 });
  expect(claims).toHaveLength(1);
  return claims[0] as Lease;
}

it('lets one worker begin a recording', async () => {
  const lease = await begin();
  expect(lease).toEqual({ recordingId: id, lane: 0, workerId: 'a', epoch: 1 });
  expect(await leases.begin(id, 1, 'b')).toBeUndefined();
  expect(await leases.beat('a', [lease])).toEqual(HELD);
  expect(await leases.isAlive('a')).toBe(true);
  expect(await leases.isAlive('b')).toBe(false);
});

it('takes a worker for dead from the moment its leases lapse, not a second later', async () => {
  // A tenth after a whole second: who counts in seconds is wrong for the nine tenths that follow.
  const untilMs = Math.ceil(Date.now() / 1000) * 1000 + 1100;
  await services.redis.client.zadd(redisKeys.workers, untilMs, 'a');
  expect(await leases.isAlive('a')).toBe(true);
  await waitUntil('its leases to lapse', () => Date.now() > untilMs);
  expect(await leases.isAlive('a')).toBe(false);
});

it('gives a lapsed lease to the first who asks, under a higher epoch, and tells the one before', async () => {
  const before = await begin();
  expect(await leases.claim('b', { most: 5 })).toEqual([]);
  await lapse();
  const claims = await Promise.all(['b', 'c', 'd'].map((w) => leases.claim(w, { most: 5 })));
  const [winner, ...others] = claims.flat();
  expect(others).toEqual([]);
  expect(winner).toMatchObject({ epoch: 2, role: 'owner', predecessor: 'a' });
  expect(await leases.beat('a', [before])).toEqual(LOST);
  expect(await leases.beat(winner?.workerId ?? '', [winner as Lease])).toEqual(HELD);
});

it('lets the last owner renew a lapsed lease that nobody took', async () => {
  const lease = await begin();
  await lapse();
  expect(await leases.beat('a', [lease])).toEqual(HELD);
  expect(await leases.claim('b', { most: 5 })).toEqual([]);
});

it('lets nobody take anything for a while after Redis was away from everybody', async () => {
  await begin();
  await lapse();
  const longAgo = Date.now() - 60_000;
  await services.redis.client.hset(redisKeys.leasesSeen, {
    seen: longAgo,
    since: longAgo - 60_000,
  });
  expect(await leases.claim('b', { most: 5 })).toEqual([]);
  await seenFor(LEASE_TTL_MS - 500);
  expect(await leases.claim('b', { most: 5 })).toEqual([]);
  await seenFor(LEASE_TTL_MS + 500);
  await claimOne('b');
});

it('does not do what was asked too long ago', async () => {
  await begin();
  await lapse();
  const late = openLeases(services.redis.client, () => Date.now() - 5_000);
  expect(await late.claim('b', { most: 5 })).toEqual([]);
});

it('goes on after Redis has lost the leases, with epochs above those known', async () => {
  const lease = { ...(await begin()), epoch: 7 };
  const { client } = services.redis;
  await client.del(redisKeys.leases, redisKeys.lease(id, 0), redisKeys.segmentsHead(id));
  expect(await leases.beat('a', [lease])).toEqual(HELD);
  expect((await leases.advance(lease))?.epoch).toBe(8);
  await services.recordings.create(sampleRecording({ id, state: 'recording' }));
  await client.del(redisKeys.leases, redisKeys.lease(id, 0));
  await client.hdel(redisKeys.leasesSeen, 'reconciled');
  await leases.reconcile();
  expect((await claimOne('b')).epoch).toBe(9);
});

it('names recordings that have been queued for a while, by one worker each 5 s', async () => {
  await services.recordings.create(sampleRecording({ id }));
  await services.redis.client.hdel(redisKeys.leasesSeen, 'reconciled');
  expect(await leases.reconcile()).toContain(id);
  expect(await leases.reconcile()).toEqual([]);
});

it('leaves a released lane to be taken at once', async () => {
  const lease = await begin();
  expect(await leases.release(lease)).toBe(true);
  await seenFor(0);
  expect(await claimOne('b')).toMatchObject({ predecessor: 'a', epoch: 2 });
  expect(await leases.release(lease)).toBe(false);
});

it('hands a lane over with the first segment of its successor, and loses none', async () => {
  const before = await begin();
  const entry = (n: number, { epoch }: Lease) => sampleEntry(n, { epoch });
  await services.segments.append(id, entry(0, before));
  await leases.offer(before);
  expect(await leases.claim('a', { most: 5 })).toEqual([]);
  const next = await claimOne('b');
  expect(next).toMatchObject({ epoch: 2, role: 'successor', predecessor: 'a' });
  expect(await leases.claim('c', { most: 5 })).toEqual([]);
  expect(await leases.beat('a', [before])).toEqual(HELD);
  expect(await leases.beat('b', [next])).toEqual(NEXT);
  // The successor is quicker than what its predecessor still uploads.
  expect(await services.segments.append(id, entry(3, next))).toEqual({ appended: true });
  expect(await leases.succeed(next, 3)).toBe(true);
  expect(await services.segments.append(id, entry(3, before))).toMatchObject({ reason: 'taken' });
  expect(await services.segments.append(id, entry(4, before))).toMatchObject({
    reason: 'stale-epoch',
  });
  for (const n of [2, 1]) {
    expect(await services.segments.append(id, entry(n, before))).toEqual({ appended: true });
  }
  expect((await services.segments.read(id)).map(({ n, epoch }) => [n, epoch])).toEqual([
    [0, 1],
    [1, 1],
    [2, 1],
    [3, 2],
  ]);
  expect(await leases.beat('a', [before])).toEqual([{ state: 'handed-over', from: 3 }]);
  expect(await leases.beat('b', [next])).toEqual(HELD);
});

it('offers a lane again when its successor gives up or dies', async () => {
  const lease = await begin();
  await leases.offer(lease);
  const first = await claimOne('b');
  expect(await leases.decline(first)).toBe(true);
  const second = await claimOne('c');
  expect(second.epoch).toBe(3);
  expect(await leases.succeed(first, 5)).toBe(false);
  await services.redis.client.hset(redisKeys.lease(id, 0), 'nextUntil', Date.now() - 1);
  expect((await claimOne('d')).epoch).toBe(4);
  expect(await leases.beat('a', [lease])).toEqual(HELD);
});

it('lets a worker succeed itself, once at a time', async () => {
  const lease = await begin();
  const next = await leases.succeedOneself(lease);
  expect(next?.epoch).toBe(2);
  expect(await leases.succeedOneself(lease)).toBeUndefined();
  expect(await leases.beat('a', [lease, next as Lease])).toEqual([...HELD, ...NEXT]);
  expect(await leases.succeed(next as Lease, 9)).toBe(true);
  expect(await leases.beat('a', [lease, next as Lease])).toEqual([
    { state: 'handed-over', from: 9 },
    ...HELD,
  ]);
});

it('gives the two lanes of a recording to two workers, or to one that is alone and may', async () => {
  await begin('a', 2);
  await leases.beat('a', []);
  expect(await leases.claim('a', { most: 5 })).toEqual([]);
  await leases.beat('b', []);
  expect(await leases.claim('a', { most: 5, isDoubleAllowed: true })).toEqual([]);
  await services.redis.client.zrem(redisKeys.workers, 'b');
  const [alone] = await leases.claim('a', { most: 5, isDoubleAllowed: true });
  expect(alone).toMatchObject({ lane: 1, epoch: 1 });
});

it('lets the last lane of a recording end it, and forgets its lanes then', async () => {
  const first = await begin('a', 2);
  const second = await claimOne('b');
  expect(await leases.end(first)).toBe('others');
  expect(await leases.beat('a', [first])).toEqual(LOST);
  expect(await leases.end(second)).toBe('last');
  await leases.close(id);
  expect(await leases.beat('b', [second])).toEqual(LOST);
  expect(await leases.begin(id, 2, 'c')).toBeUndefined();
  expect(await leases.claim('c', { most: 5 })).toEqual([]);
});
