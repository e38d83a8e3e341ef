import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import { boundaryAtOrBefore, SEGMENT_MS } from '../../../src/model/grid.ts';
import { consumeHighlights } from '../../../src/queue/consume.ts';
import { startEmbeddedRedis } from '../../../src/queue/embedded-redis.ts';
import { openServices, type Services } from '../../../src/queue/open-services.ts';
import { startHighlightSweep, sweepHighlights } from '../../../src/queue/sweep-highlights.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { findGeneration } from '../../../src/storage/rebuild/generation.ts';
import { collect } from '../../support/collect.ts';
import { sampleEntry, sampleHighlight, sampleRecording } from '../../support/sample-records.ts';
import { openTestServices, type TestServices } from '../../support/test-services.ts';
import { waitUntil } from '../../support/wait-until.ts';

const KEY = 'killed-key-0123456789';
const START_TIMEOUT_MS = 30_000;
/** Triggers in flight when the server is killed. */
const TRIGGERS = 60;
/** It is killed when so many have been answered: the others are anywhere between their request and their answer. */
const ANSWERED = 20;
/** A highlight younger than this is left to whoever stored it. */
const FRESH_MS = 2_000;

const log = createLog('test', 'silent');

/** The api role as a process of its own. */
async function startApi(services: TestServices): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/api/main.ts'], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      CHALKREEL_DATA_DIR: services.dataDir,
      CHALKREEL_REDIS_URL: services.redisUrl,
      CHALKREEL_PORT: '0',
      CHALKREEL_API_KEYS: KEY,
      CHALKREEL_LINK_SECRETS: 'killed-secret-0123456789',
      CHALKREEL_LOG_LEVEL: 'silent',
    },
  });
  let port: number | undefined;
  child.on('message', (message: { readonly port?: number }) => {
    port ??= message.port;
  });
  await waitUntil('the api listens', () => port, START_TIMEOUT_MS);
  return { child, url: `http://127.0.0.1:${port}` };
}

/** A class that is over: the clips of its highlights could be made at once. */
async function addEndedClass(services: Services, id: string): Promise<number> {
  const originMs = boundaryAtOrBefore(Date.now()) - 100 * SEGMENT_MS;
  const over = { state: 'completed', originMs, createdAtMs: originMs, leadInMs: 0 } as const;
  await services.recordings.create(sampleRecording({ id, ...over }));
  for (let n = 0; n < 90; n++) await services.segments.append(id, sampleEntry(n));
  return originMs;
}

let services: TestServices;
const resources = new Resources();
beforeAll(async () => {
  services = resources.use(await openTestServices());
});
afterAll(() => resources.close());

it('loses no highlight that was answered when the api is killed, and Redis after it', async () => {
  const originMs = await addEndedClass(services, 'killed');
  const { child, url } = await startApi(services);
  const exited = once(child, 'exit');
  const answered: string[] = [];
  const requests = Array.from({ length: TRIGGERS }, async (_, i) => {
    const response = await fetch(`${url}/v1/recordings/killed/highlights`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ triggerId: `trigger ${i}`, atMs: originMs + 40_000 + i * 1000 }),
    });
    const { id } = (await response.json()) as { id: string };
    if (response.status === 201) answered.push(id);
    if (answered.length === ANSWERED) child.kill('SIGKILL');
  });
  await Promise.allSettled(requests);
  await exited;
  expect(answered.length).toBeGreaterThanOrEqual(ANSWERED);

  const info = await services.redis.client.info('server');
  const pid = Number(/process_id:(\d+)/.exec(info)?.[1]);
  process.kill(pid, 'SIGKILL');
  const { dataDir } = services;
  const again = new Resources();
  try {
    const redis = await waitUntil(
      'Redis is back with its files',
      () => startEmbeddedRedis({ dataDir, log }).catch(() => undefined),
      START_TIMEOUT_MS,
    );
    again.use(redis);
    const after = again.use(
      await openServices({ dataDir, redisUrl: redis.url, storageUrl: undefined }, log),
    );
    const expectAll = async (): Promise<void> => {
      for (const id of answered) {
        const highlight = await after.highlights.get(id);
        const stored = await after.store.read(objectKeys.openHighlight(id));
        expect(JSON.parse(stored.toString())).toEqual(highlight);
      }
    };
    await expectAll();
    // Neither when Redis has nothing any more: one object of each was stored before its answer.
    await after.redis.client.flushall();
    await waitUntil(
      'Redis is rebuilt',
      async () => (await findGeneration(after.redis.client))?.isComplete,
      START_TIMEOUT_MS,
    );
    await expectAll();
    const listed = await after.highlights.listByRecording('killed');
    expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining(answered));
    // Whatever the killed one had no time to ask for is asked for now, once.
    const taken: string[] = [];
    again.use(
      consumeHighlights(after.redis, {
        concurrency: 4,
        log,
        handle: async ({ highlightId }) => {
          taken.push(highlightId);
          const done = { state: 'failed', reason: 'test' } as const;
          await after.highlights.update(highlightId, (h) => ({ ...h, ...done }));
          return undefined;
        },
      }),
    );
    again.use(startHighlightSweep({ ...after, log }));
    await waitUntil('all are taken', () => answered.every((id) => taken.includes(id)), 20_000);
    // Also those that were stored and not answered any more.
    await waitUntil(
      'none is left',
      async () => (await after.highlights.listPending(Date.now())).length === 0,
      20_000,
    );
    expect(new Set(taken).size).toBe(taken.length);
    // The store says so a little later than Redis.
    await waitUntil(
      'none is marked as open',
      async () => (await collect(after.store.list(objectKeys.openHighlights))).length === 0,
      20_000,
    );
    for (const id of answered) {
      const stored = await after.store.read(objectKeys.highlight(id));
      expect(JSON.parse(stored.toString())).toMatchObject({ id, state: 'failed' });
    }
  } finally {
    await again.close();
  }
}, 90_000);

it('finds a highlight whose job was never asked for or was given up, and leaves the others alone', async () => {
  const own = await openTestServices();
  try {
    const { highlights, queue } = own;
    const id = 'swept';
    await own.recordings.create(sampleRecording({ id }));
    const nowMs = await own.fleetNowMs();
    const store = async (name: string, triggeredAtMs: number): Promise<void> => {
      const given = { id: name, triggerId: name, recordingId: id, triggeredAtMs };
      await highlights.create(sampleHighlight(given));
    };
    await store('forgotten', nowMs - FRESH_MS);
    await store('asked-for', nowMs - FRESH_MS);
    await queue.enqueueHighlight('asked-for', { windowEndMs: nowMs + 600_000 });
    await store('just-stored', nowMs + 60_000);
    await store('over', nowMs - FRESH_MS);
    await highlights.update('over', (h) => ({ ...h, state: 'failed' }));
    expect(await sweepHighlights({ ...own, log })).toEqual(['forgotten']);
    expect(await sweepHighlights({ ...own, log })).toEqual([]);

    // Five attempts, each failing: the record could not be written, say.
    let attempts = 0;
    const failing = consumeHighlights(own.redis, {
      concurrency: 1,
      log,
      handle: () => {
        attempts += 1;
        return Promise.reject(new Error('the record cannot be written'));
      },
    });
    await waitUntil(
      'the job is given up',
      async () => {
        const lost = attempts >= 5 ? await queue.findLostHighlights(['forgotten']) : [];
        return lost.length === 1;
      },
      30_000,
    );
    await failing.close();
    expect(await sweepHighlights({ ...own, log })).toEqual(['forgotten']);
  } finally {
    await own.close();
  }
}, 60_000);

it('asks for no clip again that is finished while it is looked for its job', async () => {
  const own = await openTestServices();
  try {
    const { highlights, queue } = own;
    await own.recordings.create(sampleRecording({ id: 'busy' }));
    const nowMs = await own.fleetNowMs();
    for (const id of ['finished', 'forgotten']) {
      const given = { id, triggerId: id, recordingId: 'busy', triggeredAtMs: nowMs - FRESH_MS };
      await highlights.create(sampleHighlight(given));
    }
    const finish = (): Promise<unknown> =>
      highlights.update('finished', (h) => ({ ...h, state: 'completed' }));
    // A worker writes the record, then its job is over and gone: here between the list and the jobs.
    const findLostHighlights = async (ids: readonly string[]): Promise<readonly string[]> => {
      expect(new Set(ids)).toEqual(new Set(['finished', 'forgotten']));
      await finish();
      return queue.findLostHighlights(ids);
    };
    const services = { ...own, log, queue: { ...queue, findLostHighlights } };
    expect(await sweepHighlights(services)).toEqual(['forgotten']);
    expect(await queue.findLostHighlights(['finished', 'forgotten'])).toEqual(['finished']);
  } finally {
    await own.close();
  }
}, 60_000);
