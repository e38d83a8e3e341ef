import { hostname } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ChalkreelError } from '../../../src/errors.ts';
import type { ReencodeRun } from '../../../src/model/reencode-run.ts';
import { builtInProfiles } from '../../../src/protocol/reencode.ts';
import type { BatchBoard } from '../../../src/queue/batch-board.ts';
import { openLeases } from '../../../src/queue/leases.ts';
import type { ApiServer } from '../../support/api-server.ts';
import {
  addFinished,
  FOR_EVER_MS,
  openBatchWorld,
  PATIENCE_MS,
  standInMedia,
  type BatchWorld,
} from '../../support/batch-world.ts';
import { sampleEntry, sampleRecording } from '../../support/sample-records.ts';
import { waitUntil } from '../../support/wait-until.ts';

vi.setConfig({ testTimeout: 2 * PATIENCE_MS, hookTimeout: 2 * PATIENCE_MS });
/** "Running ffmpeg ends within a second." */
const CANCEL_MS = 1_000;

let api: ApiServer;
let board: BatchBoard;
let work: BatchWorld['work'];
let untilState: BatchWorld['untilState'];
let world: BatchWorld;

beforeAll(async () => {
  world = await openBatchWorld();
  ({ api, board, work, untilState } = world);
});
afterEach(() => world.endWorkers());
afterAll(() => world.close());

const pathOf = (id: string): string => `/v1/recordings/${id}/reencode`;

function request(id: string, body?: unknown): ReturnType<ApiServer['json']> {
  return api.json('POST', pathOf(id), body);
}

async function runsOf(id: string): Promise<readonly ReencodeRun[]> {
  return (await api.services.recordings.get(id)).reencodes ?? [];
}

/** Nothing of any run is left in the queue: no parent waits for ever. */
async function untilQueueIsEmpty(): Promise<void> {
  const { client } = api.services.redis;
  const lists = ['waiting-children', 'prioritized', 'delayed'].map(
    (name) => `chalkreel:queue:batch:${name}`,
  );
  await waitUntil(
    'the queue is empty',
    async () => {
      const counts = await Promise.all(lists.map((key) => client.zcard(key)));
      const atWork = await Promise.all(
        ['active', 'wait'].map((name) => client.llen(`chalkreel:queue:batch:${name}`)),
      );
      return [...counts, ...atWork].every((count) => count === 0);
    },
    PATIENCE_MS,
  );
}

describe('a re-encode', () => {
  it('is done by whoever is free, longest chunks first, once however often it is asked for', async () => {
    const id = await addFinished(api.services, { segments: 5 });
    const asked = await request(id, { profiles: ['avc-240p'] });
    expect(asked.status).toBe(202);
    expect(asked.body).toMatchObject({ recordingId: id, state: 'waiting', fraction: 0 });
    expect((await request(id, { profiles: ['avc-240p'] })).status).toBe(200);
    const media = standInMedia({});
    await work(media, { CHALKREEL_BATCH_JOBS: '1' });
    const done = await untilState(id, 'completed');
    expect(done).toMatchObject({
      fraction: 1,
      etaMs: null,
      profiles: [
        {
          profile: 'avc-240p',
          state: 'completed',
          chunks: { total: 3, done: 3, retried: 0 },
          outcome: { bytesBefore: 3000, bytesAfter: 1000, ssimDb: 20 },
        },
      ],
    });
    // Chunks of 2, 2 and 1 segments.
    expect(media.calls.map(({ kind, chunk }) => [kind, chunk])).toEqual([
      ['plan', undefined],
      ['chunk', 0],
      ['chunk', 1],
      ['chunk', 2],
      ['finish', undefined],
    ]);
    expect((await request(id, { profiles: ['avc-240p'] })).status).toBe(200);
    expect((await request(id, { profiles: ['avc-240p'], force: true })).status).toBe(202);
    await untilState(id, 'completed');
    expect(media.calls.filter(({ kind }) => kind === 'plan')).toHaveLength(2);
    // Workers tell what they do each second.
    await waitUntil('metrics say so', async () => {
      const metrics = await (await api.request('/metrics', { key: null })).text();
      const hasTotals = /^chalkreel_batch_completed_total 2$/m.test(metrics);
      return hasTotals && /^chalkreel_batch_slots\{state="free"\} 1$/m.test(metrics);
    });
    await untilQueueIsEmpty();
  });

  it('fails after three tries of a chunk, by different workers, and others go on', async () => {
    const poisoned = await addFinished(api.services, { segments: 6 });
    const good = await addFinished(api.services, { segments: 6 });
    const poison = (id: string, chunk: number): void => {
      if (id !== poisoned || chunk !== 1) return;
      throw new ChalkreelError('chunk-failed', 'It cannot be encoded', {
        details: { command: 'ffmpeg -i x' },
      });
    };
    const media = ['one', 'two', 'three'].map((worker) => standInMedia({ worker, poison }));
    for (const one of media) await work(one);
    for (const id of [poisoned, good]) await request(id, { profiles: ['avc-240p'] });
    const failed = await untilState(poisoned, 'failed');
    expect(failed.profiles).toMatchObject([{ state: 'failed', reason: 'chunk-failed' }]);
    await untilState(good, 'completed');
    const calls = media.flatMap((one) => one.calls);
    const tries = calls.filter((call) => call.recordingId === poisoned && call.chunk === 1);
    expect(tries).toHaveLength(3);
    expect(new Set(tries.map(({ worker }) => worker)).size).toBe(3);
    expect(calls.some((call) => call.recordingId === poisoned && call.kind === 'finish')).toBe(
      false,
    );
    // The source is as it was.
    expect(await api.services.segments.count(poisoned)).toBe(6);
    await untilQueueIsEmpty();
  });

  it('is called off within a second, and can be asked for again', async () => {
    const id = await addFinished(api.services, { segments: 6 });
    const media = standInMedia({ encodeMs: FOR_EVER_MS });
    const worker = await work(media);
    await request(id, { profiles: ['avc-240p'] });
    await waitUntil('two chunks are at work', () => media.atWork.size === 2, PATIENCE_MS);
    const { body } = await api.json('GET', pathOf(id));
    expect(body).toMatchObject({ state: 'running', profiles: [{ state: 'encoding' }] });
    const startedAt = performance.now();
    const cancelled = await api.json('DELETE', pathOf(id));
    expect(cancelled.body).toMatchObject({ state: 'cancelled' });
    await waitUntil('no chunk is at work', () => media.atWork.size === 0, PATIENCE_MS);
    expect(performance.now() - startedAt).toBeLessThan(CANCEL_MS);
    await untilQueueIsEmpty();
    expect(media.calls.some(({ kind }) => kind === 'finish')).toBe(false);
    await worker.close();
    await work(standInMedia({}));
    expect((await request(id, { profiles: ['avc-240p'] })).status).toBe(202);
    await untilState(id, 'completed');
  });

  it('goes on when its jobs are gone', async () => {
    const [profile] = builtInProfiles();
    // Asked for a while ago, by somebody who died before asking for its jobs.
    const run: ReencodeRun = {
      ...{ id: 'without-jobs', profile: profile!, origin: 'api', night: null, state: 'waiting' },
      ...{ requestedAtMs: 0, startedAtMs: null, endedAtMs: null, failures: 0 },
    };
    const id = await addFinished(api.services, { segments: 4, reencodes: [run] });
    await work(standInMedia({}));
    await untilState(id, 'completed');
  });

  it('takes chunks over whose worker has lost them, and encodes no other again', async () => {
    const id = await addFinished(api.services, { segments: 8 });
    // The first two hang.
    const media = standInMedia({ encodeMs: (nth) => (nth < 2 ? FOR_EVER_MS : 1) });
    await work(media);
    await request(id, { profiles: ['avc-240p'] });
    await waitUntil('two chunks are at work', () => media.atWork.size === 2, PATIENCE_MS);
    const { client } = api.services.redis;
    // As when a worker stood still for too long: its locks have lapsed.
    await client.del(...(await client.keys('chalkreel:queue:batch:*:lock')));
    await untilState(id, 'completed');
    const chunks = media.calls.flatMap(({ kind, chunk }) => (kind === 'chunk' ? [chunk] : []));
    expect(chunks.sort()).toEqual([0, 0, 1, 1, 2, 3]);
    // It has heard that they were another's, and let go of them.
    expect(media.atWork.size).toBe(0);
  });

  it('is begun at the end of a recording when that is wanted', async () => {
    const media = standInMedia({});
    await work(media, { CHALKREEL_BATCH_ON_FINISH: 'yes' });
    const { recordings, segments } = api.services;
    const id = 'ends-now';
    const originMs = 1_750_000_000_000;
    await recordings.create(
      sampleRecording({ id, originMs, state: 'recording', metadata: { segments: 2 } }),
    );
    for (const n of [0, 1]) await segments.append(id, sampleEntry(n));
    await recordings.update(id, (present) => ({
      ...present,
      state: 'completed',
      history: [...present.history, { state: 'completed', atMs: originMs + 3200 }],
    }));
    await untilState(id, 'completed');
    expect(await runsOf(id)).toMatchObject([{ origin: 'finish', night: null }]);
  });
});

describe('live recordings', () => {
  it('come first: more of them than allowed on this host, and no chunk is taken', async () => {
    const leases = openLeases(api.services.redis.client, () => Date.now());
    const liveWorker = `${hostname()}-1-abcd`;
    const lease = await leases.begin('live-class', 1, liveWorker);
    const beating = setInterval(() => void leases.beat(liveWorker, [lease!]), 500);
    try {
      const media = standInMedia({});
      await work(media, { CHALKREEL_BATCH_LIVE_SLOTS: '0' });
      const id = await addFinished(api.services, { segments: 2 });
      await request(id, { profiles: ['avc-240p'] });
      await waitUntil('the worker says so', async () => {
        const workers = await board.readWorkers(Date.now());
        return workers.some(({ isPaused }) => isPaused);
      });
      expect(media.calls).toEqual([]);
      expect((await api.json('GET', pathOf(id))).body).toMatchObject({
        state: 'waiting',
        etaMs: null,
      });
      clearInterval(beating);
      await leases.release(lease!);
      await leases.close('live-class');
      await untilState(id, 'completed');
    } finally {
      clearInterval(beating);
    }
  });
});

describe('the calls', () => {
  let id = '';
  beforeAll(async () => {
    id = await addFinished(api.services, { segments: 2 });
  });
  const [profile] = builtInProfiles();
  const own = { name: 'own', video: { codec: 'avc', height: 240 } };

  it.each([
    ['no profile', { profiles: [] }, 'profiles'],
    ['a profile there is none of', { profiles: ['avc-99p'] }, 'profiles.0'],
    ['the same twice', { profiles: ['avc-240p', 'avc-240p'] }, 'profiles.1'],
    ['profiles that are no list', { profiles: 'avc-240p' }, 'profiles'],
    ['a program of its own', { profiles: [{ ...own, ffmpeg: '/bin/sh' }] }, 'profiles.0'],
    [
      'an argument not allowed',
      { profiles: [{ ...own, video: { ...own.video, encoderArgs: { stats: 'x' } } }] },
      'profiles.0',
    ],
    ['an unknown field', { profile: 'avc-240p' }, 'profile'],
    ['force that is no yes or no', { force: 'yes' }, 'force'],
    ['a list', [], 'body'],
  ])('refuse %s', async (_what, body, field) => {
    const answer = await request(id, body);
    expect(answer.headers.get('Content-Type')).toContain('application/problem+json');
    expect(answer.status).toBe(400);
    expect(String(answer.body.field)).toContain(field);
  });

  it('refuse what is not there, not over, without media, or sound alone', async () => {
    const body = { profiles: [profile!.name] };
    expect((await request('nobody', body)).body).toMatchObject({
      status: 404,
      code: 'recording-not-found',
    });
    for (const method of ['GET', 'DELETE']) {
      const { body: problem } = await api.json(method, pathOf('nobody'));
      expect(problem).toMatchObject({ status: 404, code: 'recording-not-found' });
    }
    await api.services.recordings.create(sampleRecording({ id: 'not-over' }));
    expect((await request('not-over', body)).body).toMatchObject({
      status: 409,
      code: 'recording-not-final',
    });
    const empty = await addFinished(api.services, { segments: 0 });
    expect((await request(empty, body)).body).toMatchObject({
      status: 409,
      code: 'nothing-recorded',
    });
    const { settings } = sampleRecording();
    const sound = await addFinished(api.services, {
      segments: 2,
      settings: { ...settings, media: 'audio' },
    });
    expect((await request(sound, body)).body).toMatchObject({ status: 400, field: 'profiles.0' });
    const other = await api.request(pathOf(id), { method: 'POST', key: null });
    expect(other.status).toBe(401);
  });

  it('do not mix two profiles of one name', async () => {
    const both = await addFinished(api.services, { segments: 2 });
    expect((await request(both, { profiles: [own] })).status).toBe(202);
    const changed = { ...own, video: { ...own.video, height: 360 } };
    const { body } = await request(both, { profiles: [changed] });
    expect(body).toMatchObject({ status: 409, code: 'reencode-running' });
    await api.json('DELETE', pathOf(both));
    expect((await request(both, { profiles: [changed] })).status).toBe(202);
    await api.json('DELETE', pathOf(both));
  });

  it('keep a trace from the recording’s beginning', async () => {
    const { body: created } = await api.json('POST', '/v1/recordings', {
      url: 'http://127.0.0.1/',
    });
    expect(created.traceId).toEqual(expect.any(String));
    const { body } = await api.json('GET', pathOf(String(created.id)));
    expect(body).toMatchObject({ traceId: created.traceId, state: 'none', profiles: [] });
  });
});
