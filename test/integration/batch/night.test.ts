import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BatchBoard } from '../../../src/queue/batch-board.ts';
import type { ApiServer } from '../../support/api-server.ts';
import {
  addFinished,
  FOR_EVER_MS,
  openBatchWorld,
  PATIENCE_MS,
  standInMedia,
  type BatchWorld,
} from '../../support/batch-world.ts';
import { waitUntil } from '../../support/wait-until.ts';

vi.setConfig({ testTimeout: 2 * PATIENCE_MS, hookTimeout: 2 * PATIENCE_MS });
const HOUR_MS = 3_600_000;

let api: ApiServer;
let board: BatchBoard;
let work: BatchWorld['work'];
let untilState: BatchWorld['untilState'];
let world: BatchWorld;

beforeAll(async () => {
  world = await openBatchWorld();
  ({ api, board, work, untilState } = world);
});
afterEach(async () => {
  await world.endWorkers();
  const ids = (await api.services.recordings.list({ limit: 100 })).recordings.map(({ id }) => id);
  for (const id of ids) await api.services.recordings.delete(id);
});
afterAll(() => world.close());

async function stateOf(id: string): Promise<string | undefined> {
  return (await api.services.recordings.get(id)).reencodes?.[0]?.state;
}

describe('a night', () => {
  it('begins by its schedule, once for its date, whoever hears of it, and takes what is over', async () => {
    const ids = [
      await addFinished(api.services, { segments: 2 }),
      await addFinished(api.services, { segments: 2, state: 'failed' }),
    ];
    const at = new Date(Date.now() + 4_000);
    const cron = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} * * *`;
    // Long enough, and not over before it began, at whatever time of the day.
    const end = new Date(at.getTime() + 2 * HOUR_MS).toISOString().slice(11, 16);
    const env = { CHALKREEL_BATCH_CRON: cron, CHALKREEL_BATCH_END: end };
    const media = [standInMedia({ worker: 'one' }), standInMedia({ worker: 'two' })];
    for (const one of media) await work(one, env);
    for (const id of ids) await untilState(id, 'completed');
    const night = await board.findLastNight();
    expect(night).toMatchObject({ date: at.toISOString().slice(0, 10), deferred: 0 });
    expect(night?.startsAtMs).toBe(Math.floor(at.getTime() / 1000) * 1000);
    // Told of again, also by somebody who means another time of the same date.
    await api.services.batch.enqueueNight({ ...night!, startsAtMs: Date.now() });
    await addFinished(api.services, { segments: 2, id: 'too-late' });
    await api.services.batch.enqueueNight({ ...night!, date: '2020-02-02', endsAtMs: 0 });
    await waitUntil('the queue has come to what was asked last', () =>
      board.findNight('2020-02-02'),
    );
    expect(await stateOf('too-late')).toBeUndefined();
    const plans = media.flatMap(({ calls }) => calls.filter(({ kind }) => kind === 'plan'));
    expect(plans.map(({ recordingId }) => recordingId).sort()).toEqual([...ids].sort());
  });

  it('ends in time, and the next one goes on with what is left, not with what is done', async () => {
    const id = await addFinished(api.services, { segments: 8 });
    const made = new Set<string>();
    const hanging = standInMedia({ encodeMs: (nth) => (nth < 2 ? 1 : FOR_EVER_MS), made });
    const worker = await work(hanging);
    const startsAtMs = Date.now();
    const night = { date: '2021-01-01', startsAtMs, endsAtMs: startsAtMs + 4_000 };
    await api.services.batch.enqueueNight(night);
    await waitUntil(
      'two are done and two at work',
      () => made.size === 2 && hanging.atWork.size === 2,
      PATIENCE_MS,
    );
    await waitUntil('none is at work', () => hanging.atWork.size === 0, PATIENCE_MS);
    expect(Date.now()).toBeGreaterThanOrEqual(night.endsAtMs);
    expect(await stateOf(id)).toBe('encoding');
    await worker.close();
    const next = standInMedia({ made, worker: 'next' });
    await work(next);
    const later = { date: '2021-01-02', startsAtMs: Date.now(), endsAtMs: Date.now() + HOUR_MS };
    await api.services.batch.enqueueNight(later);
    await untilState(id, 'completed');
    expect(
      next.calls
        .filter(({ kind }) => kind === 'chunk')
        .map(({ chunk }) => chunk)
        .sort(),
    ).toEqual([2, 3]);
    const { body } = await api.json('GET', '/v1/batch');
    expect(body.night).toMatchObject({
      ...{ date: '2021-01-02', state: 'over', fraction: 1, bytesBefore: 3000, bytesAfter: 1000 },
      recordings: { open: 0, completed: 1, failed: 0, cancelled: 0 },
    });
  });

  it('is called off whole, and can be begun again', async () => {
    const id = await addFinished(api.services, { segments: 4 });
    const hanging = standInMedia({ encodeMs: FOR_EVER_MS });
    const worker = await work(hanging);
    await api.services.batch.enqueueNight({
      date: '2022-01-01',
      startsAtMs: 0,
      endsAtMs: Date.now() + HOUR_MS,
    });
    await waitUntil('chunks are at work', () => hanging.atWork.size === 2, PATIENCE_MS);
    const { body: running } = await api.json('GET', '/v1/batch');
    expect(running).toMatchObject({ night: { state: 'running', recordings: { open: 1 } } });
    expect(running.recordings).toMatchObject([{ recordingId: id, state: 'running' }]);
    expect((await api.json('POST', '/v1/batch')).status).toBe(200);
    const { body: stopped } = await api.json('DELETE', '/v1/batch');
    expect(stopped).toMatchObject({ cancelled: 1, night: { state: 'cancelled' } });
    await waitUntil('none is at work', () => hanging.atWork.size === 0, PATIENCE_MS);
    expect(await stateOf(id)).toBe('cancelled');
    await worker.close();
    await work(standInMedia({}));
    expect((await api.json('POST', '/v1/batch')).status).toBe(202);
    await untilState(id, 'completed');
    await api.json('DELETE', '/v1/batch');
  });
});
