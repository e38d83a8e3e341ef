import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startSweeper } from '../../../src/api/sweeper.ts';
import { systemClock } from '../../../src/clock.ts';
import { Resources } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { openApiServer, type ApiServer } from '../../support/api-server.ts';
import { openSecondApi } from '../../support/second-api.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { addRecording, addSegment, mediaRecordingId, RECENT_ORIGIN_MS } from './media-fixture.ts';

/** Another process believes what it knows of a recording for half a second; the rest is for a busy machine. */
const KNOWN_EVERYWHERE_MS = 5000;

const resources = new Resources();
let api: ApiServer;
let id: string;
beforeAll(async () => {
  api = resources.use(await openApiServer());
});
afterAll(() => resources.close());
beforeEach(() => {
  id = mediaRecordingId();
});

type Links = Record<string, string>;

/** A lesson that is over, with a highlight of its segments 2 and 3 whose clip is not made yet. */
async function addLesson(): Promise<{ highlightId: string; links: Links; recordingLinks: Links }> {
  await addRecording(api, id);
  for (let n = 0; n < 6; n++) await addSegment(api, id, n, `segment ${n}`);
  await api.services.recordings.update(id, (recording) => ({
    ...recording,
    leadInMs: 0,
    state: 'completed',
    history: [...recording.history, { state: 'completed', atMs: Date.now() }],
  }));
  const span = { startMs: RECENT_ORIGIN_MS + 3300, endMs: RECENT_ORIGIN_MS + 6300 };
  const made = await api.json('POST', `/v1/recordings/${id}/highlights`, span);
  expect(made.status).toBe(201);
  const recording = await api.json('GET', `/v1/recordings/${id}`);
  return {
    highlightId: String(made.body.id),
    links: made.body.links as Links,
    recordingLinks: recording.body.links as Links,
  };
}

async function completeClip(highlightId: string): Promise<void> {
  const object = objectKeys.clipMp4(highlightId);
  await api.services.store.putOnce(object, Buffer.from('an mp4'));
  const clip = { mp4: { object, length: 6, durationMs: 3000 }, poster: null };
  const { highlights } = api.services;
  await highlights.update(highlightId, (h) => ({ ...h, state: 'completed', clip }));
}

async function codeOf(response: Response): Promise<[number, unknown]> {
  return [response.status, ((await response.json()) as { code: unknown }).code];
}

describe('a recording that is deleted', () => {
  it('is gone for everybody at once, in every process, but its clips play on', async () => {
    const { highlightId, links, recordingLinks } = await addLesson();
    const second = resources.use(await openSecondApi(api));
    const segment = String(recordingLinks.playlist).replace('index.m3u8', 'segments/000002-0-1.ts');
    const urls = [recordingLinks.playlist, segment].flatMap((url) => [
      String(url),
      String(url).replace(api.url, second.url),
    ]);
    for (const url of urls) expect((await fetch(url)).status).toBe(200);
    const played = await (await fetch(String(links.playlist))).text();

    expect((await api.json('DELETE', `/v1/recordings/${id}`)).status).toBe(204);
    expect((await api.json('GET', `/v1/recordings/${id}`)).status).toBe(404);
    expect((await api.json('POST', `/v1/recordings/${id}/highlights`)).status).toBe(404);
    expect((await api.json('POST', '/v1/shares', { recordingId: id })).status).toBe(404);
    for (const url of urls) {
      await waitUntil(
        `${url} is refused`,
        async () => (await fetch(url)).status === 404,
        KNOWN_EVERYWHERE_MS,
      );
    }
    expect((await api.json('DELETE', `/v1/recordings/${id}`)).status).toBe(404);

    // The clip has no MP4 yet: its segments are there for it alone.
    expect(await (await fetch(String(links.playlist))).text()).toBe(played);
    const own = String(links.playlist).replace(
      `highlights/${highlightId}/clip.m3u8`,
      `recordings/${id}/segments/`,
    );
    expect(await (await fetch(`${own}000002-0-1.ts`)).text()).toBe('segment 2');
    expect((await fetch(`${own}000000-0-1.ts`)).status).toBe(403);

    await completeClip(highlightId);
    const sweeper = startSweeper({
      services: api.services,
      clock: systemClock,
      log: createLog('test', 'silent'),
      everyMs: 50,
    });
    await waitUntil(
      'nothing is left of the recording',
      async () => (await api.services.recordings.find(id)) === undefined,
    );
    await sweeper.close();
    const clip = await api.json('GET', `/v1/highlights/${highlightId}`);
    expect(clip.body.links).toMatchObject({ playlist: null });
    const { mp4 } = clip.body.links as Links;
    expect(await (await fetch(String(mp4))).text()).toBe('an mp4');
    expect(await codeOf(await fetch(String(links.playlist)))).toEqual([410, 'playlist-gone']);
    expect((await fetch(`${own}000002-0-1.ts`)).status).toBe(404);
  });

  it('takes its shares with it', async () => {
    await addLesson();
    const { body } = await api.json('POST', '/v1/shares', { recordingId: id });
    await api.json('DELETE', `/v1/recordings/${id}`);
    const shared = await fetch(`${api.url}/t/${String(body.token)}/v1/recordings/${id}`);
    expect(await codeOf(shared)).toEqual([410, 'link-revoked']);
  });
});

describe('POST /v1/recordings/:id/erase', () => {
  it('removes everything with the clips, says what, and may be repeated', async () => {
    const { highlightId, links } = await addLesson();
    await completeClip(highlightId);
    const erased = await api.json('POST', `/v1/recordings/${id}/erase`, { clips: true });
    expect(erased.status).toBe(200);
    expect(erased.body).toMatchObject({
      id,
      removed: { segments: 6, clips: 1, spools: 0 },
      pendingClips: [],
    });
    expect((erased.body.removed as { bytes: number }).bytes).toBeGreaterThan(6 * 9);
    expect((await fetch(String(links.playlist))).status).toBe(404);
    const again = await api.json('POST', `/v1/recordings/${id}/erase`, { clips: true });
    expect(again.body).toMatchObject({ removed: { objects: 0, bytes: 0 } });
  });

  it('keeps clips unless asked, and names those it has to wait for', async () => {
    const { highlightId } = await addLesson();
    const erased = await api.json('POST', `/v1/recordings/${id}/erase`);
    expect(erased.body).toMatchObject({ removed: { clips: 0 }, pendingClips: [highlightId] });
    // The last clip that needed something takes the rest with it.
    expect((await api.json('DELETE', `/v1/highlights/${highlightId}`)).status).toBe(204);
    expect(await api.services.recordings.find(id)).toBeUndefined();
    const again = await api.json('POST', `/v1/recordings/${id}/erase`, { clips: true });
    expect(again.body).toMatchObject({ removed: { objects: 0, bytes: 0 }, pendingClips: [] });
  });

  it('refuses a recording that runs, and what it does not know', async () => {
    await addRecording(api, id);
    const running = await api.json('POST', `/v1/recordings/${id}/erase`);
    expect(running.body).toMatchObject({ status: 409, code: 'recording-not-final' });
    const unknown = await api.json('POST', `/v1/recordings/${id}/erase`, { everything: true });
    expect(unknown.body).toMatchObject({ status: 400, field: 'everything' });
    const path = await api.json('POST', '/v1/recordings/..%2f..%2fetc/erase');
    expect(path.body).toMatchObject({ status: 404, code: 'recording-not-found' });
  });
});

describe('retention', () => {
  const page = { url: 'http://127.0.0.1:9/class' };

  it.each([
    [{}, null],
    [{ retentionS: 3600 }, 3600],
    [{ retentionDays: 30 }, 2_592_000],
    [{ retentionDays: 0.5 }, 43_200],
    [{ retentionDays: null }, null],
  ])('is taken as %j', async (said, retentionS) => {
    const { body } = await api.json('POST', '/v1/recordings', { ...page, ...said });
    expect(body).toMatchObject({ retentionS, expiresAtMs: null });
  });

  it('is told as a time once the recording is over', async () => {
    await addRecording(api, id, { retentionS: 60 });
    const end = { state: 'completed', atMs: 1_000_000 } as const;
    await api.services.recordings.update(id, (r) => ({
      ...r,
      state: end.state,
      history: [...r.history, end],
    }));
    const { body } = await api.json('GET', `/v1/recordings/${id}`);
    expect(body).toMatchObject({ retentionS: 60, expiresAtMs: 1_060_000 });
  });

  it.each([
    [{ retentionS: 0 }, 'retentionS'],
    [{ retentionS: 1.5 }, 'retentionS'],
    [{ retentionDays: -1 }, 'retentionDays'],
    [{ retentionDays: 1e6 }, 'retentionDays'],
    [{ retentionS: 60, retentionDays: 1 }, 'retentionS'],
  ])('is refused as %j', async (said, field) => {
    const { body } = await api.json('POST', '/v1/recordings', { ...page, ...said });
    expect(body).toMatchObject({ status: 400, field });
  });
});
