import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Resources } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import { describeContinuity } from '../../src/model/continuity.ts';
import type { QualityReport } from '../../src/model/report.ts';
import type { SegmentEntry } from '../../src/model/segment.ts';
import { openServices } from '../../src/queue/open-services.ts';
import { verifyTarget } from '../../src/verify/verify.ts';
import { startFleet, type Fleet } from '../chaos/fleet.ts';
import { startLesson, type Lesson } from '../chaos/lesson.ts';
import { processesWith } from '../support/processes.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A browser is replaced this soon, so that a test sees it: once it has recorded a few segments. */
const BROWSER_S = 10;
/** A worker that is told to stop goes on for so long: a segment and more. */
const DRAIN_S = 3;
/** A start of Chrome, and a lease that lapses, on a machine busy with other tests. */
const GOES_ON_MS = 50_000;

const resources = new Resources();
let fleet: Fleet;
let lesson: Lesson;

beforeAll(async () => {
  const environment = { CHALKREEL_BROWSER_HOURS: String(BROWSER_S / 3600) };
  fleet = resources.use(await startFleet({ workers: [{ environment, slots: 1 }] }));
  lesson = resources.use(await startLesson(fleet));
});
afterAll(() => resources.close());

/** All entries there are; `inOrder`: as far as the order is decided. */
async function readEntries({ inOrder = false } = {}): Promise<readonly SegmentEntry[]> {
  const { dataDir, redis } = fleet;
  const config = { dataDir, redisUrl: redis.url, storageUrl: undefined };
  const services = await openServices(config, createLog('test', 'silent'));
  try {
    const { segments } = services;
    return await (inOrder ? segments.read(lesson.id) : segments.readAll(lesson.id));
  } finally {
    await services.close();
  }
}

/** Packets get to disk in pieces of 16 kB; a part with less than its key picture, up to 20 kB of this page, is worth nothing. */
const PART_BYTES = 2 * 16 * 1024;

/** Whether so much of a segment is on disk that it can be completed. */
async function hasPart(): Promise<boolean> {
  const work = path.join(fleet.dataDir, 'work');
  const names = await readdir(work, { recursive: true });
  const parts = names.filter((name) => name.endsWith('.part'));
  const sizes = parts.map((name) => stat(path.join(work, name)).then(({ size }) => size));
  return (await Promise.all(sizes)).some((size) => size >= PART_BYTES);
}

it('replaces a browser without a gap, completes what a killed worker left, and leaves a class to others', async () => {
  const replaced = await waitUntil(
    'another browser',
    async () => {
      // The fresh one's first segment waits for the last of the old one.
      const entries = await readEntries({ inOrder: true });
      return new Set(entries.map(({ epoch }) => epoch)).size > 1 && entries;
    },
    GOES_ON_MS,
  );
  expect(describeContinuity(replaced)).toMatchObject({ holes: [], encoderChanges: 1 });
  expect((await lesson.find())?.ownerChanges).toBe(0);
  const [worker] = fleet.workers();
  await lesson.untilMore(1, GOES_ON_MS);
  await waitUntil('a segment to be half made', hasPart, GOES_ON_MS);
  worker?.kill('SIGKILL');
  await worker?.exited;
  const second = await fleet.startWorker({ environment: { CHALKREEL_DRAIN_S: String(DRAIN_S) } });
  await lesson.untilMore(3, GOES_ON_MS);
  expect((await lesson.find())?.ownerChanges).toBe(1);
  // Nobody is there to take it: it goes on for a while, then leaves it at a boundary, whole.
  const before = (await readEntries()).length;
  second.kill('SIGTERM');
  expect(await second.exited).toEqual({ code: 0, signal: null });
  expect((await readEntries()).length).toBeGreaterThan(before);
  expect((await lesson.find())?.state).toBe('recording');
  // This one keeps no browser beside the one that records: none is to be left.
  await fleet.startWorker({ environment: { CHALKREEL_SPARE_BROWSER: 'no' } });
  await lesson.untilMore(2, GOES_ON_MS);
  await lesson.stop();

  const entries = await readEntries();
  // Two, when a browser was just being replaced.
  const parts = entries.filter(({ spanMs }) => spanMs !== undefined);
  expect(parts.length).toBeGreaterThan(0);
  for (const { spanMs } of parts) expect(spanMs).toBeLessThan(SEGMENT_MS);
  const part = parts.at(-1);
  const after = entries.find(({ n }) => n > (part?.n ?? 0));
  expect(after?.epoch).toBeGreaterThan(part?.epoch ?? 0);
  const report = (await (
    await fleet.request(`/v1/recordings/${lesson.id}/report`)
  ).json()) as QualityReport;
  expect(report).toMatchObject({ ownerChanges: 2, end: { reason: 'stop-requested' } });
  const folder = path.join(fleet.dataDir, 'storage', 'recordings', lesson.id);
  const { violations } = await verifyTarget(path.join(folder, 'index.m3u8'), { decode: true });
  expect(violations).toEqual([]);
  // Whatever was said of it, by whomever, has its trace.
  const said = (await fleet.readLogs()).filter(({ recordingId }) => recordingId === lesson.id);
  expect(said.map(({ event }) => event)).toEqual(
    expect.arrayContaining(['recording-requested', 'lane-taken', 'lane-joined', 'classroom-ready']),
  );
  const { traceId } = (await (await fleet.request(`/v1/recordings/${lesson.id}`)).json()) as {
    traceId: string;
  };
  expect(said.filter((line) => line.traceId !== traceId)).toEqual([]);
  // Nothing is left of either worker.
  const browsers = (await processesWith(fleet.folder)).filter(({ command }) =>
    command.includes('--user-data-dir'),
  );
  expect(browsers).toEqual([]);
  const isSwept = async (): Promise<boolean> =>
    (await readdir(path.join(fleet.dataDir, 'work'))).length === 0;
  await waitUntil('its work folders to go', isSwept);
});
