import { afterAll, beforeAll, expect, it } from 'vitest';
import { redisKeys } from '../../../src/storage/redis-keys.ts';
import { openApiServer, type ApiServer } from '../../support/api-server.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { addRecording, addSegment, mediaRecordingId } from './media-fixture.ts';

let api: ApiServer;
beforeAll(async () => {
  api = await openApiServer();
});
afterAll(() => api.close());

/** Longer than the test: it is taken away by hand. */
const LOCK_MS = 60_000;
const REBUILT_MS = 10_000;

it('answers 503 until Redis is whole again, then the same playlists under the same ETags', async () => {
  const id = mediaRecordingId();
  await addRecording(api, id);
  for (const n of [0, 1, 2]) await addSegment(api, id, n, `media ${n}`);
  // Another maker takes over behind a hole.
  await addSegment(api, id, 5, 'media 5', { epoch: 2 });
  const links = ['index.m3u8', 'live.m3u8', 'index.m3u8?_HLS_skip=YES'];
  const read = async (link: string): Promise<{ text: string; etag: string }> => {
    const answer = await api.request(`/v1/recordings/${id}/${link}`);
    return { text: await answer.text(), etag: answer.headers.get('ETag') ?? '' };
  };
  const before = await Promise.all(links.map(read));
  expect(before[0]?.text).toContain('000002-0-1.ts');

  // Somebody is at it who does nothing.
  const { client } = api.services.redis;
  await client.multi().flushall().set(redisKeys.rebuildLock, 'idle', 'PX', LOCK_MS).exec();
  const asked = [
    ['GET', `/v1/recordings/${id}`],
    ['GET', `/v1/recordings/${id}/index.m3u8`],
    ['GET', '/v1/recordings'],
    ['GET', `/v1/recordings/${id}/highlights`],
    ['POST', `/v1/recordings/${id}/stop`],
    ['GET', '/readyz'],
  ] as const;
  for (const [method, path] of asked) {
    const answer = await api.request(path, { method });
    expect([path, answer.status]).toEqual([path, 503]);
    expect(await answer.json()).toMatchObject({ status: 503 });
  }
  const refused = await api.request(`/v1/recordings/${id}`);
  expect(refused.headers.get('Retry-After')).toBe('1');
  expect(await refused.json()).toMatchObject({ code: 'rebuilding' });

  await client.del(redisKeys.rebuildLock);
  await waitUntil('Redis to be whole', async () => (await api.request('/readyz')).ok, REBUILT_MS);
  expect(await Promise.all(links.map(read))).toEqual(before);
  // It goes on behind what is there.
  await addSegment(api, id, 6, 'media 6', { epoch: 2 });
  const longer = await read('index.m3u8');
  expect(longer.text.startsWith(before[0]?.text ?? '?')).toBe(true);
  expect(longer.text).toContain('000006-');
});
