import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eraseRecording } from '../../../src/storage/removal/erase-recording.ts';
import { EventChunks } from '../../../src/storage/events/event-chunks.ts';
import { finishEventLog } from '../../../src/storage/events/event-log.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { openApiServer, type ApiServer } from '../../support/api-server.ts';
import { addRecording, mediaRecordingId, RECENT_ORIGIN_MS } from './media-fixture.ts';

let api: ApiServer;
beforeAll(async () => {
  api = await openApiServer();
});
afterAll(() => api.close());

type Line = { readonly offsetMs: number; readonly eventId: string };

const chat = (i: number): string =>
  JSON.stringify({ type: 'chat', eventId: `c${i}`, atMs: RECENT_ORIGIN_MS + i, text: '老师好' });

async function readLog(id: string): Promise<Line[]> {
  const response = await api.request(`/v1/recordings/${id}/events.jsonl`);
  expect([response.status, response.headers.get('Content-Type')]).toEqual([
    200,
    'application/jsonl',
  ]);
  const text = await response.text();
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]));
}

async function listEvents(id: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of api.services.store.list(objectKeys.recordingFolder(id))) {
    if (key.includes('/events')) keys.push(key);
  }
  return keys;
}

describe('events.jsonl', () => {
  it('is read as two lanes write it, and is one object in the end', async () => {
    const id = mediaRecordingId();
    await addRecording(api, id);
    const { store, recordings } = api.services;
    expect(await readLog(id)).toEqual([]);
    const lanes = [0, 1].map((lane) => new EventChunks(store, id, { lane, epoch: 1 }));
    // So many that small objects are put together, twice.
    for (let i = 0; i < 150; i += 1) {
      await Promise.all(lanes.map((chunks) => chunks.put([chat(i)])));
    }
    expect((await listEvents(id)).length).toBeLessThan(2 * 64);
    const expected = Array.from({ length: 150 }, (_, i) => `c${i}`);
    const log = await readLog(id);
    expect(log.map(({ eventId }) => eventId)).toEqual(expected);
    expect(log[7]).toMatchObject({ offsetMs: 7, atMs: RECENT_ORIGIN_MS + 7, text: '老师好' });

    const recording = await recordings.get(id);
    // Cut short between its steps, it is begun again.
    await finishEventLog(store, recording);
    await store.put(
      objectKeys.eventChunk(id, { lane: 0, epoch: 1, from: 0, count: 1 }),
      Buffer.from('{}'),
    );
    await finishEventLog(store, recording);
    expect(await listEvents(id)).toEqual([objectKeys.events(id)]);
    expect(await readLog(id)).toEqual(log);
  });

  it('leaves out a line that cannot be read, and an object that is part of another', async () => {
    const id = mediaRecordingId();
    await addRecording(api, id);
    const { store } = api.services;
    const put = (from: number, lines: string[]): Promise<void> =>
      store.put(
        objectKeys.eventChunk(id, { lane: 0, epoch: 1, from, count: lines.length }),
        Buffer.from(`${lines.join('\n')}\n`),
      );
    await put(0, [chat(0), '{"type":"chat"', chat(2)]);
    // As a worker leaves it that dies while it puts objects together.
    await put(1, [chat(9)]);
    await put(3, [chat(3)]);
    expect((await readLog(id)).map(({ eventId }) => eventId)).toEqual(['c0', 'c2', 'c3']);
  });

  it('is for the platform, and for who may play the recording', async () => {
    const [id, other] = [mediaRecordingId(), mediaRecordingId()];
    for (const each of [id, other]) await addRecording(api, each);
    await new EventChunks(api.services.store, id, { lane: 0, epoch: 1 }).put([chat(0)]);
    const path = `/v1/recordings/${id}/events.jsonl`;
    const { body } = await api.json('GET', `/v1/recordings/${id}`);
    const { playlist } = body.links as { playlist: string };
    const mine = playlist.replace('index.m3u8', 'events.jsonl');
    expect((await api.request(mine, { key: null })).status).toBe(200);
    expect((await api.request(mine.replace(id, other), { key: null })).status).toBe(403);
    expect((await api.request(path, { key: null })).status).toBe(401);
    expect((await api.request('/v1/recordings/nobody/events.jsonl')).status).toBe(404);
  });

  it('goes with its recording', async () => {
    const id = mediaRecordingId();
    await addRecording(api, id, { state: 'completed' });
    const { store, recordings } = api.services;
    await new EventChunks(store, id, { lane: 0, epoch: 1 }).put([chat(0)]);
    await finishEventLog(store, await recordings.get(id));
    await new EventChunks(store, id, { lane: 0, epoch: 2 }).put([chat(1)]);
    expect(await listEvents(id)).toHaveLength(2);
    await eraseRecording(id, api.services, { clips: false, nowMs: Date.now() });
    expect(await listEvents(id)).toEqual([]);
  });
});
