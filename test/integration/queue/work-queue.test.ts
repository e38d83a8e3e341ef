import { afterAll, beforeAll, expect, it } from 'vitest';
import { delay } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import { consumeHighlights, consumeRecordings } from '../../../src/queue/consume.ts';
import { PREPARE_LEAD_MS } from '../../../src/queue/work-queue.ts';
import { sampleRecording, SAMPLE_ORIGIN_MS, sampleEntry } from '../../support/sample-records.ts';
import { openTestServices, type TestServices } from '../../support/test-services.ts';
import { waitUntil } from '../../support/wait-until.ts';

const log = createLog('test', 'silent');
/** BullMQ's list of recordings that wait. */
const WAITING = 'chalkreel:queue:recordings:wait';
let services: TestServices;
beforeAll(async () => {
  services = await openTestServices();
});
afterAll(() => services.close());

it('delivers a recording asked for twice once', async () => {
  await services.queue.enqueueRecording('twice');
  await services.queue.enqueueRecording('twice');
  const heard: string[] = [];
  const consumer = consumeRecordings(services.redis, {
    hasRoom: () => true,
    log,
    handle: async ({ recordingId }) => {
      heard.push(recordingId);
      await Promise.resolve();
    },
  });
  await services.queue.enqueueRecording('last');
  await waitUntil('both are delivered', () => heard.includes('last') && heard.includes('twice'));
  await consumer.close();
  expect(heard.sort()).toEqual(['last', 'twice']);
});

it('asks for recordings only while there is room', async () => {
  const begun: string[] = [];
  let slots = 2;
  const consumer = consumeRecordings(services.redis, {
    hasRoom: () => begun.length < slots,
    log,
    handle: async ({ recordingId }) => {
      begun.push(recordingId);
      consumer.roomChanged();
      await Promise.resolve();
    },
  });
  for (const id of ['one', 'two', 'three']) await services.queue.enqueueRecording(id);
  await waitUntil('two have begun', () => begun.length === 2);
  const left = await waitUntil('the third waits for anybody', async () => {
    const waiting = await services.redis.client.lrange(WAITING, 0, -1);
    return waiting.length === 1 && waiting;
  });
  expect([...begun, ...left].sort()).toEqual(['one', 'three', 'two']);
  slots = 3;
  consumer.roomChanged();
  await waitUntil('the third has begun', () => begun.length === 3);
  await consumer.close();
});

it('gives what comes without room to another worker', async () => {
  const begun: string[] = [];
  let hasRoom = true;
  const full = consumeRecordings(services.redis, {
    // Its slot is taken while it waits for a job.
    hasRoom: () => hasRoom,
    log,
    handle: async ({ recordingId }) => {
      begun.push(`full: ${recordingId}`);
      await Promise.resolve();
    },
  });
  await services.queue.enqueueRecording('warm-up');
  await waitUntil('it asks for the next one', () => begun.length === 1);
  hasRoom = false;
  await services.queue.enqueueRecording('unwanted');
  const other = consumeRecordings(services.redis, {
    hasRoom: () => true,
    log,
    handle: async ({ recordingId }) => {
      begun.push(`other: ${recordingId}`);
      await Promise.resolve();
    },
  });
  full.roomChanged();
  await waitUntil('the other one takes it', () => begun.length === 2);
  expect(begun).toEqual(['full: warm-up', 'other: unwanted']);
  await Promise.all([full.close(), other.close()]);
});

it('tries a failed job again', async () => {
  let attempts = 0;
  const consumer = consumeHighlights(services.redis, {
    concurrency: 1,
    log,
    handle: async () => {
      attempts++;
      await Promise.resolve();
      if (attempts === 1) throw new Error('not yet');
      return undefined;
    },
  });
  await services.queue.enqueueHighlight('retried', { windowEndMs: 0 });
  await waitUntil('the second attempt', () => attempts === 2);
  await consumer.close();
});

it('hands on a job that closing broke off, without using up its attempts', async () => {
  await services.queue.enqueueHighlight('broken-off', { windowEndMs: 0 });
  let runs = 0;
  // More often than a job is tried.
  for (let round = 0; round < 6; round++) {
    let isRunning = false;
    const consumer = consumeHighlights(services.redis, {
      // One works, one waits for a job: it must not take what the other hands back.
      concurrency: 2,
      log,
      handle: async ({ highlightId }, signal) => {
        if (highlightId !== 'broken-off') return undefined;
        runs++;
        isRunning = true;
        await delay(60_000, signal);
        return undefined;
      },
    });
    await waitUntil(`round ${round}`, () => isRunning);
    await consumer.close();
  }
  const { client } = services.redis;
  expect(runs).toBe(6);
  const job = await client.hgetall('chalkreel:queue:highlights:broken-off');
  expect(job.atm).toBeUndefined();
  expect(await client.lrange('chalkreel:queue:highlights:wait', 0, -1)).toContain('broken-off');
  let isDone = false;
  const last = consumeHighlights(services.redis, {
    concurrency: 1,
    log,
    handle: async ({ highlightId }) => {
      isDone ||= highlightId === 'broken-off';
      return Promise.resolve(undefined);
    },
  });
  await waitUntil('the next worker does it', () => isDone);
  await last.close();
});

it('holds a highlight back until its window is nearly over', async () => {
  let heardAtMs: number | undefined;
  const consumer = consumeHighlights(services.redis, {
    concurrency: 1,
    log,
    handle: async () => {
      heardAtMs = Date.now();
      return Promise.resolve(undefined);
    },
  });
  const notBeforeMs = Date.now() + 400;
  await services.queue.enqueueHighlight('later', {
    windowEndMs: notBeforeMs + PREPARE_LEAD_MS,
  });
  await waitUntil('the delayed job', () => heardAtMs);
  await consumer.close();
  expect(heardAtMs).toBeGreaterThanOrEqual(notBeforeMs);
});

it('runs a highlight again when its handler says, and lets others go ahead', async () => {
  const heard: { id: string; atMs: number }[] = [];
  const retryAfterMs = 300;
  const consumer = consumeHighlights(services.redis, {
    concurrency: 1,
    log,
    handle: async ({ highlightId: id }) => {
      heard.push({ id, atMs: Date.now() });
      const isFirst = heard.filter((job) => job.id === id).length === 1;
      return Promise.resolve(id === 'put-off' && isFirst ? { retryAfterMs } : undefined);
    },
  });
  await services.queue.enqueueHighlight('put-off', { windowEndMs: 0 });
  await waitUntil('the first try', () => heard.length === 1);
  await services.queue.enqueueHighlight('other', { windowEndMs: 0 });
  await waitUntil('the second try', () => heard.length === 3);
  await consumer.close();
  expect(heard.map(({ id }) => id)).toEqual(['put-off', 'other', 'put-off']);
  expect(heard[2]!.atMs - heard[0]!.atMs).toBeGreaterThanOrEqual(retryAfterMs);
});

it('turns a trigger into one stored highlight and one job', async () => {
  await services.recordings.create(
    sampleRecording({ id: 'class', state: 'completed', originMs: SAMPLE_ORIGIN_MS }),
  );
  for (let n = 0; n < 10; n++) await services.segments.append('class', sampleEntry(n));
  const heard: string[] = [];
  const consumer = consumeHighlights(services.redis, {
    concurrency: 1,
    log,
    handle: async ({ highlightId }) => {
      heard.push(highlightId);
      return Promise.resolve(undefined);
    },
  });
  const trigger = {
    triggerId: 't',
    atMs: SAMPLE_ORIGIN_MS + 14_000,
    beforeMs: 30_000,
    afterMs: 5_000,
  };
  const first = await services.requestHighlight('class', trigger, 'signalling');
  const second = await services.requestHighlight('class', trigger, 'page');
  expect(first.created).toBe(true);
  expect(second).toEqual({ highlight: first.highlight, created: false });
  expect(first.highlight.window).toEqual({
    startMs: SAMPLE_ORIGIN_MS,
    endMs: SAMPLE_ORIGIN_MS + 16_000,
  });
  expect(first.highlight.warnings).toHaveLength(2);
  await waitUntil('its job', () => heard.includes(first.highlight.id));
  await consumer.close();
});

it('refuses a trigger for nobody, in the future, or outside the recording', async () => {
  const trigger = { beforeMs: 1000, afterMs: 0 };
  await expect(services.requestHighlight('nobody', trigger, 'api')).rejects.toMatchObject({
    code: 'recording-not-found',
  });
  const outside = { ...trigger, atMs: SAMPLE_ORIGIN_MS - 10_000 };
  await expect(services.requestHighlight('class', outside, 'api')).rejects.toMatchObject({
    code: 'window-outside-recording',
  });
  const future = { ...trigger, atMs: Date.now() + 3_600_000 };
  await expect(services.requestHighlight('class', future, 'api')).rejects.toMatchObject({
    fault: 'input',
    details: { field: 'atMs' },
  });
  await services.recordings.create(sampleRecording({ id: 'empty', state: 'failed' }));
  await expect(services.requestHighlight('empty', trigger, 'api')).rejects.toMatchObject({
    code: 'nothing-recorded',
  });
});
