import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFleetClock } from '../../../recorder/fleet-clock.ts';
import { startPageServer } from '../../../recorder/page-server.ts';
import { recordJob, type RecordJobOptions } from '../../../recorder/record-job.ts';
import { systemClock } from '../../../src/clock.ts';
import { Resources } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import { NO_PROGRESS } from '../../../src/model/progress.ts';
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
let options: RecordJobOptions;

beforeAll(async () => {
  services = resources.use(await openTestServices());
  options = {
    services,
    // None of these recordings may start a browser.
    chromium: '/nonexistent',
    pages: resources.use(await startPageServer('/nonexistent')),
    clock: resources.use(await startFleetClock({ clock: systemClock, log })),
    log,
    workDir: path.join(services.dataDir, 'work'),
    stopSignal: new AbortController().signal,
    isHandingOver: () => false,
  };
});
afterAll(() => resources.close());

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

    await recordJob(recording.id, options);

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
    });
  });

  it('has failed when nothing was recorded', async () => {
    const recording = sampleRecording({ id: 'never-begun', stopRequestedAtMs: STOPPED_AT_MS });
    await services.recordings.create(recording);
    await recordJob(recording.id, options);
    const after = await services.recordings.get(recording.id);
    expect(after.history.at(-1)).toMatchObject({ state: 'failed', reason: 'stopped-before-start' });
  });
});

it('leaves a recording that is over as it is', async () => {
  const recording = sampleRecording({ id: 'over', state: 'completed' });
  await services.recordings.create(recording);
  await recordJob(recording.id, options);
  expect(await services.recordings.get(recording.id)).toEqual(recording);
});

it('gives back a recording that its worker cannot begin any more', async () => {
  const recording = sampleRecording({ id: 'too-late' });
  await services.recordings.create(recording);
  const ending = { ...options, stopSignal: AbortSignal.abort() };
  await expect(recordJob(recording.id, ending)).rejects.toMatchObject({ code: 'handed-over' });
  expect((await services.recordings.get(recording.id)).history.at(-1)?.reason).toBeUndefined();
});
