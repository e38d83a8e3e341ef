import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_PROGRESS } from '../../../src/model/progress.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { openApiServer, type ApiServer } from '../../support/api-server.ts';
import { SAMPLE_ORIGIN_MS, sampleEntry, sampleRecording } from '../../support/sample-records.ts';

let api: ApiServer;
beforeAll(async () => {
  api = await openApiServer();
});
afterAll(() => api.close());

const page = { url: 'http://127.0.0.1:9/class' };

describe('POST /v1/recordings', () => {
  it('creates a recording, lasting, queued, with links', async () => {
    const body = { ...page, externalId: 'class-7', metadata: { title: '数学课', room: 4 } };
    const answer = await api.json('POST', '/v1/recordings', body);
    expect(answer.status).toBe(201);
    const id = String(answer.body.id);
    expect(answer.headers.get('Location')).toBe(`/v1/recordings/${id}`);
    expect(answer.body).toMatchObject({
      state: 'queued',
      title: '数学课',
      externalId: 'class-7',
      metadata: { room: 4 },
      settings: {
        media: 'audio-video',
        width: 1280,
        height: 720,
        fps: 30,
        videoBitrate: 3_000_000,
      },
    });
    const links = answer.body.links as Record<string, string>;
    expect(links.playlist).toMatch(new RegExp(`^${api.url}/t/.+/v1/recordings/${id}/index.m3u8$`));
    expect(links.watch).toMatch(new RegExp(`^${api.url}/watch/${id}\\?t=.+$`));
    expect((await api.services.store.find(objectKeys.recording(id)))?.length).toBeGreaterThan(0);
    expect((await api.json('GET', `/v1/recordings/${id}`)).body).toMatchObject({
      id,
      progress: null,
    });
  });

  it('takes a classroom by its parts', async () => {
    const classroom = {
      title: 'Class',
      signallingUrl: 'ws://127.0.0.1:9/signalling',
      sources: [
        {
          participantId: 'p',
          name: '李老师',
          role: 'teacher',
          kind: 'hls',
          url: 'http://127.0.0.1:9/a',
        },
      ],
    };
    const answer = await api.json('POST', '/v1/recordings', { classroom });
    expect(answer.status).toBe(201);
    expect(answer.body.source).toMatchObject({ kind: 'classroom', classroom });
  });

  it.each([
    ['no url', {}, 'url'],
    ['both url and classroom', { ...page, classroom: { signallingUrl: 'ws://x/' } }, 'url'],
    ['a file URL', { url: 'file:///etc/passwd' }, 'url'],
    ['no URL at all', { url: 'hello' }, 'url'],
    ['a negative width', { ...page, settings: { width: -2 } }, 'settings.width'],
    ['an absurd height', { ...page, settings: { height: 100_000 } }, 'settings.height'],
    ['an odd size', { ...page, settings: { width: 641 } }, 'settings.width'],
    ['fps off the grid', { ...page, settings: { fps: 24 } }, 'settings.fps'],
    ['an unknown field', { ...page, colour: 'red' }, 'colour'],
    ['media there are none of', { ...page, settings: { media: 'video' } }, 'settings.media'],
    ['an unknown setting', { ...page, settings: { codec: 'av1' } }, 'settings.codec'],
    ['a number as id', { ...page, externalId: 7 }, 'externalId'],
    ['too much metadata', { ...page, metadata: { x: 'y'.repeat(20_000) } }, 'metadata'],
    ['an array', [], 'body'],
  ])('refuses %s and names the field', async (_what, body, field) => {
    const answer = await api.json('POST', '/v1/recordings', body);
    expect(answer.headers.get('Content-Type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ status: 400, field, title: 'Bad request' });
    expect(answer.status).toBe(400);
  });

  it('refuses malformed JSON, a body too large and another content type', async () => {
    const post = (body: string, type: string): Promise<Response> =>
      api.request('/v1/recordings', { method: 'POST', body, headers: { 'Content-Type': type } });
    const codeOf = async (response: Response): Promise<unknown> =>
      ((await response.json()) as { code: unknown }).code;
    const malformed = await post('{"url":', 'application/json');
    expect([malformed.status, await codeOf(malformed)]).toEqual([400, 'malformed-json']);
    const large = await post(JSON.stringify({ x: 'y'.repeat(70_000) }), 'application/json');
    expect([large.status, await codeOf(large)]).toEqual([413, 'body-too-large']);
    const form = await post('url=http%3A%2F%2Fx', 'application/x-www-form-urlencoded');
    expect([form.status, await codeOf(form)]).toEqual([415, 'unsupported-media-type']);
  });
});

describe('access', () => {
  it.each([
    ['no key', null],
    ['a wrong key', 'wrong-key-0123456789'],
    ['the beginning of a key', 'test-key-01234567'],
  ])('is refused with %s', async (_what, key) => {
    const response = await api.request('/v1/recordings', { key });
    expect(response.status).toBe(401);
    expect(response.headers.get('WWW-Authenticate')).toBe('Bearer');
    expect(await response.json()).toMatchObject({ code: 'unauthorized', field: 'Authorization' });
  });

  it('is given with each of the keys', async () => {
    expect((await api.request('/v1/recordings', { key: 'another-key-987654321' })).status).toBe(
      200,
    );
  });
});

describe('GET /v1/recordings', () => {
  it('pages through recordings, newest first, and filters', async () => {
    for (let i = 0; i < 3; i++) {
      await api.services.recordings.create(
        sampleRecording({ id: `page-${i}`, externalId: 'paged', createdAtMs: 1000 + i }),
      );
    }
    const first = await api.json('GET', '/v1/recordings?externalId=paged&limit=2');
    const ids = (body: Record<string, unknown>): string[] =>
      (body.recordings as { id: string }[]).map(({ id }) => id);
    expect(ids(first.body)).toEqual(['page-2', 'page-1']);
    const cursor = encodeURIComponent(String(first.body.nextCursor));
    const second = await api.json(
      'GET',
      `/v1/recordings?externalId=paged&limit=2&cursor=${cursor}`,
    );
    expect([ids(second.body), second.body.nextCursor]).toEqual([['page-0'], null]);
    const none = await api.json('GET', '/v1/recordings?externalId=paged&state=failed');
    expect(ids(none.body)).toEqual([]);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=many', 'limit'],
    ['state=sleeping', 'state'],
    ['cursor=nonsense', 'cursor'],
    ['colour=red', 'colour'],
  ])('refuses ?%s', async (query, field) => {
    const answer = await api.json('GET', `/v1/recordings?${query}`);
    expect(answer.body).toMatchObject({ status: 400, field });
  });
});

describe('one recording', () => {
  it.each([
    ['GET', '/v1/recordings/nobody', 'recording-not-found'],
    ['POST', '/v1/recordings/nobody/stop', 'recording-not-found'],
    ['DELETE', '/v1/recordings/nobody', 'recording-not-found'],
    ['GET', '/v1/recordings/nobody/index.m3u8', 'recording-not-found'],
    ['GET', '/v1/recordings/nobody/highlights', 'recording-not-found'],
    ['POST', '/v1/recordings/nobody/highlights', 'recording-not-found'],
    ['GET', '/v1/highlights/nobody', 'highlight-not-found'],
    ['GET', '/v1/highlights/nobody/clip.m3u8', 'highlight-not-found'],
    ['GET', '/v1/recordings/nobody/segments/000000-0-1.ts', 'segment-not-found'],
    ['GET', '/v1/recordings/nobody/segments/..%2F..%2Frecording.json', 'segment-not-found'],
    ['GET', '/v1/nothing', 'route-not-found'],
    ['PUT', '/v1/recordings', 'route-not-found'],
  ])('%s %s is a 404', async (method, path, code) => {
    const answer = await api.json(method, path);
    expect(answer.body).toMatchObject({ status: 404, code });
    expect(answer.status).toBe(404);
    expect(answer.headers.get('Content-Type')).toContain('application/problem+json');
  });

  it('refuses a path that is not well encoded', async () => {
    expect((await api.json('GET', '/v1/recordings/%E0%A4%A')).status).toBe(400);
  });

  it('is stopped at once and once; a second stop changes nothing; a stopped one answers 200', async () => {
    await api.services.recordings.create(sampleRecording({ id: 'stopped', state: 'recording' }));
    const first = await api.json('POST', '/v1/recordings/stopped/stop');
    expect(first.status).toBe(202);
    const at = first.body.stopRequestedAtMs;
    // The test's own clock is the server's; a minute is ample.
    expect(Math.abs(Number(at) - Date.now())).toBeLessThan(60_000);
    const second = await api.json('POST', '/v1/recordings/stopped/stop');
    expect([second.status, second.body.stopRequestedAtMs]).toEqual([202, at]);
    await api.services.recordings.update('stopped', (r) => ({ ...r, state: 'completed' }));
    const third = await api.json('POST', '/v1/recordings/stopped/stop');
    expect([third.status, third.body.state]).toEqual([200, 'completed']);
  });

  it('is deleted with its objects, but only when it is over', async () => {
    const { recordings, store } = api.services;
    await recordings.create(sampleRecording({ id: 'doomed', state: 'recording' }));
    await store.put(objectKeys.playlist('doomed'), Buffer.from('x'));
    const refused = await api.json('DELETE', '/v1/recordings/doomed');
    expect(refused.body).toMatchObject({ status: 409, code: 'recording-not-final' });

    await recordings.update('doomed', (r) => ({ ...r, state: 'completed' }));
    expect((await api.json('DELETE', '/v1/recordings/doomed')).status).toBe(204);
    expect((await api.json('GET', '/v1/recordings/doomed')).status).toBe(404);
    expect(await store.find(objectKeys.playlist('doomed'))).toBeUndefined();
    expect(await store.find(objectKeys.recording('doomed'))).toBeUndefined();
    expect((await api.json('DELETE', '/v1/recordings/doomed')).status).toBe(404);
  });
});

describe('GET /v1/recordings/:id/report', () => {
  const progress = {
    ...NO_PROGRESS,
    segments: 2,
    recordedMs: 3200,
    framesCaptured: 96,
    avOffsetMs: -3.5,
    silent: { count: 1, totalMs: 2500, isOpen: true, spans: [{ offsetMs: 700, durationMs: 2500 }] },
  };

  it('shows how a running recording goes, holes included, and so do its record and the metrics', async () => {
    const { recordings, segments } = api.services;
    const id = 'reported';
    const early = await addRunning(id);
    expect([early.status, early.body.code]).toEqual([503, 'not-started']);
    await recordings.setProgress(id, progress);
    const epoch = await segments.openEpoch(id, 0);
    await segments.append(id, sampleEntry(0, { epoch }));
    const later = await segments.openEpoch(id, 0);
    await segments.append(id, sampleEntry(2, { epoch: later }));
    const { status, body } = await api.json('GET', `/v1/recordings/${id}/report`);
    const record = (await api.json('GET', `/v1/recordings/${id}`)).body;
    expect(record).toMatchObject({
      progress,
      links: { report: `${api.url}/v1/recordings/${id}/report` },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...progress,
      originMs: SAMPLE_ORIGIN_MS,
      firstFrameMs: SAMPLE_ORIGIN_MS + 500,
      end: null,
      holes: [{ n: 1, count: 1, offsetMs: 1600, durationMs: 1600, reason: 'owner-changed' }],
      encoderChanges: 1,
      laneChanges: 0,
    });
    const metrics = await (await api.request('/metrics', { key: null })).text();
    expect(metrics).toContain(`chalkreel_recording_frames_captured{recording="${id}"} 96\n`);
    expect(metrics).toContain(`chalkreel_recording_av_offset_ms{recording="${id}"} -3.5\n`);
    expect(metrics).toContain(`chalkreel_recording_silent_ms{recording="${id}"} 2500\n`);
    expect(metrics).not.toContain(`chalkreel_recording_integrated_lufs{recording="${id}"}`);
  });

  it('is report.json once it is over, and leaves the metrics', async () => {
    const { recordings, store } = api.services;
    const id = 'over';
    await addRunning(id);
    await recordings.setProgress(id, progress);
    await recordings.update(id, (r) => ({ ...r, state: 'completed' }));
    const missing = await api.json('GET', `/v1/recordings/${id}/report`);
    expect([missing.status, missing.body.code]).toEqual([409, 'nothing-recorded']);
    await store.put(objectKeys.report(id), Buffer.from('{"segments":2}'));
    expect((await api.json('GET', `/v1/recordings/${id}/report`)).body).toEqual({ segments: 2 });
    const metrics = await (await api.request('/metrics', { key: null })).text();
    expect(metrics).not.toContain(`{recording="${id}"}`);
  });

  async function addRunning(id: string): ReturnType<ApiServer['json']> {
    await api.services.recordings.create(
      sampleRecording({ id, state: 'recording', originMs: SAMPLE_ORIGIN_MS, leadInMs: 500 }),
    );
    return api.json('GET', `/v1/recordings/${id}/report`);
  }
});

describe('the service', () => {
  it('is healthy, ready, and counts requests by route and recordings by state', async () => {
    expect((await api.request('/healthz', { key: null })).status).toBe(200);
    expect((await api.request('/readyz', { key: null })).status).toBe(200);
    const metrics = await (await api.request('/metrics', { key: null })).text();
    expect(metrics).toMatch(/chalkreel_recordings\{state="queued"\} [1-9]/);
    expect(metrics).toMatch(
      /chalkreel_http_request_duration_seconds_count\{method="GET",route="\/recordings\/:id",status="404"\} [1-9]/,
    );
  });
});
