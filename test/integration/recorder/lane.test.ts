import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFleetClock } from '../../../recorder/fleet-clock.ts';
import type { LaneOptions } from '../../../recorder/lane/lane-options.ts';
import { makeLane } from '../../../recorder/lane/lane.ts';
import { LeaseKeeper } from '../../../recorder/lane/lease-keeper.ts';
import { startPageServer } from '../../../recorder/page-server.ts';
import { systemClock } from '../../../src/clock.ts';
import { ChalkreelError } from '../../../src/errors.ts';
import { Resources } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import { NO_PROGRESS } from '../../../src/model/progress.ts';
import { openLeases, type Claim } from '../../../src/queue/leases.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { SAMPLE_ORIGIN_MS, sampleEntry, sampleRecording } from '../../support/sample-records.ts';
import { openTestServices, type TestServices } from '../../support/test-services.ts';

const log = createLog('test', 'silent');
const LEAD_IN_MS = 300;
/** Two segments and a half after the origin. */
const STOPPED_AT_MS = SAMPLE_ORIGIN_MS + 4000;
/** As the worker counted before it died. */
const PROGRESS = { ...NO_PROGRESS, atMs: STOPPED_AT_MS, segments: 2, framesCaptured: 90 };

const resources = new Resources();
let services: TestServices;
let options: LaneOptions;
const never = new AbortController().signal;

beforeAll(async () => {
  services = resources.use(await openTestServices());
  const leases = openLeases(services.redis.client, () => Date.now());
  options = {
    services,
    leases,
    keeper: resources.use(new LeaseKeeper({ workerId: 'a', leases, clock: systemClock, log })),
    // None of these recordings may start a browser.
    chromium: '/nonexistent',
    pages: resources.use(await startPageServer('/nonexistent')),
    clock: resources.use(await startFleetClock({ clock: systemClock, log })),
    log,
    workRoot: path.join(services.dataDir, 'work'),
    maxSpoolBytes: Infinity,
    browserMs: 3_600_000,
    orders: { draining: never, leaving: never, ending: never },
    onSuccessor: () => undefined,
  };
});
afterAll(() => resources.close());

async function begin(recordingId: string): Promise<Claim> {
  const lease = await options.leases.begin(recordingId, 1, 'a');
  if (lease === undefined) throw new Error('Expected a lease');
  return { ...lease, role: 'owner', predecessor: undefined };
}

describe('a recording stopped while no worker had it', () => {
  it('is completed with what was published, holes named', async () => {
    const recording = sampleRecording({
      id: 'stopped-meanwhile',
      state: 'recording',
      originMs: SAMPLE_ORIGIN_MS,
      leadInMs: LEAD_IN_MS,
      stopRequestedAtMs: STOPPED_AT_MS,
    });
    await services.recordings.create(recording);
    for (const n of [0, 2]) await services.segments.append(recording.id, sampleEntry(n));
    await services.recordings.setProgress(recording.id, PROGRESS);

    await makeLane(await begin(recording.id), options);

    const after = await services.recordings.get(recording.id);
    expect(after.history.at(-1)).toMatchObject({ state: 'completed', reason: 'stop-requested' });
    const playlist = String(await services.store.read(objectKeys.playlist(recording.id)));
    expect(playlist.match(/^#EXTINF/gm)).toHaveLength(3);
    expect(playlist.match(/^#EXT-X-GAP/gm)).toHaveLength(1);
    expect(playlist.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true);
    const report = String(await services.store.read(objectKeys.report(recording.id)));
    expect(JSON.parse(report)).toMatchObject({
      segments: 2,
      framesCaptured: 90,
      firstFrameMs: SAMPLE_ORIGIN_MS + LEAD_IN_MS,
      holes: [{ n: 1 }],
      ownerChanges: 0,
    });
    expect(await options.leases.claim('b', { most: 9 })).toEqual([]);
  });

  it('is completed when whoever ended it died before all was written', async () => {
    const recording = sampleRecording({
      id: 'ended-halfway',
      state: 'stopping',
      history: [{ state: 'stopping', atMs: STOPPED_AT_MS, reason: 'page-ended' }],
      originMs: SAMPLE_ORIGIN_MS,
      leadInMs: LEAD_IN_MS,
    });
    await services.recordings.create(recording);
    await services.segments.append(recording.id, sampleEntry(0));
    await makeLane(await begin(recording.id), options);
    const after = await services.recordings.get(recording.id);
    expect(after.history.at(-1)).toMatchObject({ state: 'completed', reason: 'page-ended' });
  });

  it('has failed when nothing was recorded', async () => {
    const recording = sampleRecording({ id: 'never-begun', stopRequestedAtMs: STOPPED_AT_MS });
    await services.recordings.create(recording);
    await makeLane(await begin(recording.id), options);
    const after = await services.recordings.get(recording.id);
    expect(after.history.at(-1)).toMatchObject({ state: 'failed', reason: 'stopped-before-start' });
  });
});

it('leaves a recording that is over as it is', async () => {
  const recording = sampleRecording({ id: 'over', state: 'completed' });
  await services.recordings.create(recording);
  await makeLane(await begin(recording.id), options);
  expect(await services.recordings.get(recording.id)).toEqual(recording);
});

it('leaves a recording that its worker cannot begin any more to be taken at once', async () => {
  const recording = sampleRecording({ id: 'too-late' });
  await services.recordings.create(recording);
  const orders = { ...options.orders, leaving: AbortSignal.abort() };
  await makeLane(await begin(recording.id), { ...options, orders });
  const { state, history } = await services.recordings.get(recording.id);
  expect([state, history.at(-1)?.reason]).toEqual(['starting', undefined]);
  const claims = await options.leases.claim('b', { most: 9 });
  expect(claims).toMatchObject([{ recordingId: 'too-late', predecessor: 'a', role: 'owner' }]);
});

it('leaves a recording to others while its clock cannot be trusted', async () => {
  const recording = sampleRecording({ id: 'clock-off' });
  await services.recordings.create(recording);
  const clock = {
    ...options.clock,
    join: () => Promise.reject(new ChalkreelError('clock-off', 'it is off by 2000 ms')),
  };
  const made = makeLane(await begin(recording.id), { ...options, clock });
  await expect(made).rejects.toMatchObject({ code: 'clock-off' });
  const claims = await options.leases.claim('b', { most: 9 });
  expect(claims).toMatchObject([{ recordingId: 'clock-off', predecessor: 'a' }]);
});

it('fails a recording whose browser does not start, after some tries', async () => {
  const recording = sampleRecording({ id: 'no-browser' });
  await services.recordings.create(recording);
  await makeLane(await begin(recording.id), options);
  const { history, owners } = await services.recordings.get(recording.id);
  expect(history.at(-1)).toMatchObject({ state: 'failed', reason: 'browser-failed' });
  expect(owners).toMatchObject([{ lane: 0, workerId: 'a', epoch: 3 }]);
});
