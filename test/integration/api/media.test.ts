import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { boundaryAtOrBefore } from '../../../src/model/grid.ts';
import { addRecording, addSegment, mediaRecordingId, RECENT_ORIGIN_MS } from './media-fixture.ts';
import { openApiServer, TEST_API_KEY, type ApiServer } from '../../support/api-server.ts';
import { waitUntil } from '../../support/wait-until.ts';

let api: ApiServer;
let id: string;
beforeAll(async () => {
  api = await openApiServer();
});
afterAll(() => api.close());
beforeEach(() => {
  id = mediaRecordingId();
});

/** URIs in a playlist, as a player resolves them. */
async function urisOf(response: Response): Promise<string[]> {
  const lines = (await response.text()).split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((uri) => new URL(uri, response.url).href);
}

/** Node's fetch adds `Cache-Control: no-cache`, which asks for the whole, unless told otherwise. */
function ifNoneMatch(response: Response): Record<string, string> {
  return {
    'If-None-Match': String(response.headers.get('ETag')),
    'Cache-Control': 'max-age=0',
  };
}

async function linksOf(path: string): Promise<Record<string, string>> {
  return (await api.json('GET', path)).body.links as Record<string, string>;
}

describe('a recording’s playlist', () => {
  it('is asked for again later while there is nothing, and is not there when nothing was recorded', async () => {
    await addRecording(api, id, { state: 'starting', originMs: null });
    const early = await api.request(`/v1/recordings/${id}/index.m3u8`);
    expect([early.status, early.headers.get('Retry-After')]).toEqual([503, '2']);
    await api.services.recordings.update(id, (r) => ({ ...r, state: 'failed' }));
    const never = await api.request(`/v1/recordings/${id}/index.m3u8`);
    expect([never.status, never.headers.get('Retry-After')]).toEqual([409, null]);
  });

  it('grows, says when it has not changed, shows holes and changes of codec, and ends', async () => {
    await addRecording(api, id);
    const path = `/v1/recordings/${id}/index.m3u8`;
    await addSegment(api, id, 0, 'zero');
    const first = await api.request(path);
    expect(first.headers.get('Content-Type')).toContain('application/vnd.apple.mpegurl');
    const text = await first.text();
    expect(text).toContain('#EXT-X-PLAYLIST-TYPE:EVENT');
    expect(text).toContain('#EXTINF:1.6,\nsegments/000000-0-1.ts');
    expect(text).toContain(`#EXT-X-PROGRAM-DATE-TIME:${new Date(RECENT_ORIGIN_MS).toISOString()}`);
    expect(text).not.toContain('ENDLIST');
    const headers = ifNoneMatch(first);
    expect((await api.request(path, { headers })).status).toBe(304);

    await addSegment(api, id, 3, 'three', { codecHash: 'codec-b', epoch: 2 });
    const grown = await (await api.request(path, { headers })).text();
    expect(grown.startsWith(text.trimEnd())).toBe(true);
    expect(grown.match(/#EXT-X-GAP/g)).toHaveLength(2);
    expect(grown.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(1);
    await api.services.recordings.update(id, (r) => ({ ...r, state: 'completed' }));
    expect(await (await api.request(path)).text()).toContain('#EXT-X-ENDLIST');
  });

  it('is served as a window and as delta updates, compressed, and says how long it may be kept', async () => {
    await addRecording(api, id, { originMs: RECENT_ORIGIN_MS - 64_000 });
    for (let n = 0; n < 40; n++) await addSegment(api, id, n, undefined, { codecHash: `${n % 2}` });
    const links = await linksOf(`/v1/recordings/${id}`);
    const get = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
      fetch(url, { headers: { 'Accept-Encoding': 'identity', ...headers } });
    const whole = await get(String(links.playlist));
    const window = await (await get(String(links.live))).text();
    expect(window).toContain('#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-DISCONTINUITY-SEQUENCE:9\n');
    expect(window).not.toContain('EXT-X-PLAYLIST-TYPE');
    const delta = await (await get(`${String(links.playlist)}?_HLS_skip=YES`)).text();
    expect(delta).toContain('#EXT-X-SKIP:SKIPPED-SEGMENTS=32\n');
    expect(delta.match(/#EXTINF/g)).toHaveLength(8);
    const text = await whole.text();
    expect(text.endsWith(delta.slice(delta.indexOf('SEGMENTS=32\n') + 12))).toBe(true);

    for (const encoding of ['gzip', 'br']) {
      for (const url of [links.playlist, links.live, links.self]) {
        const plain = await get(String(url), { Authorization: `Bearer ${TEST_API_KEY}` });
        const packed = await get(String(url), {
          Authorization: `Bearer ${TEST_API_KEY}`,
          'Accept-Encoding': encoding,
        });
        expect(packed.headers.get('Content-Encoding')).toBe(encoding);
        expect(packed.headers.get('Vary')).toContain('Accept-Encoding');
        const [one, other] = [await plain.text(), await packed.text()];
        if (url !== links.self) expect(other).toBe(one);
      }
    }
    expect(whole.headers.get('Cache-Control')).toBe('public, max-age=0, s-maxage=1');
    const again = await get(String(links.playlist), ifNoneMatch(whole));
    expect([again.status, again.headers.get('Cache-Control')]).toEqual([
      304,
      'public, max-age=0, s-maxage=1',
    ]);
    const byKey = await api.request(`/v1/recordings/${id}/index.m3u8`);
    expect(byKey.headers.get('Cache-Control')).toBe('private, no-cache');
    const other = await get(`${String(links.playlist)}?_HLS_skip=YES`, ifNoneMatch(whole));
    expect(other.status).toBe(200);
  });

  it('has gaps for what is overdue; what comes then is in the final playlist alone', async () => {
    // Segments 1 and 2 ended more than 10 s ago.
    await addRecording(api, id, { originMs: boundaryAtOrBefore(Date.now() - 24_000) });
    const path = `/v1/recordings/${id}/index.m3u8`;
    await addSegment(api, id, 0, 'zero');
    const served = await (await api.request(path)).text();
    expect(served).toContain('#EXT-X-GAP\n');
    expect(served).toContain('segments/000002-gap.ts\n');
    expect((await api.request(`/v1/recordings/${id}/final.m3u8`)).status).toBe(409);
    expect((await linksOf(`/v1/recordings/${id}`)).final).toBeNull();

    await addSegment(api, id, 1, 'one');
    // Its owner leaves a number out: that waits to be filled.
    await addSegment(api, id, 400, 'later');
    const still = await (await api.request(path)).text();
    expect(still.startsWith(served)).toBe(true);
    expect(still).not.toContain('000001-0-1.ts');
    expect(still).not.toContain('000400');
    const late = await api.request(`/v1/recordings/${id}/segments/000001-0-1.ts`);
    expect(await late.text()).toBe('one');

    await api.services.recordings.update(id, (r) => ({ ...r, state: 'completed' }));
    const ended = await api.request(path);
    expect(ended.headers.get('Cache-Control')).toBe('private, no-cache');
    const text = await ended.text();
    expect(text.startsWith(still)).toBe(true);
    expect(text).toContain('segments/000400-0-1.ts\n#EXT-X-ENDLIST\n');
    const { final } = await linksOf(`/v1/recordings/${id}`);
    const whole = await fetch(String(final));
    expect(whole.headers.get('Cache-Control')).toBe('public, max-age=300');
    const wholeText = await whole.text();
    expect(wholeText).toContain('#EXT-X-PLAYLIST-TYPE:VOD');
    expect(wholeText).toContain('segments/000001-0-1.ts\n');
    expect(wholeText.match(/#EXT-X-GAP/g)).toHaveLength(401 - 3);
  });

  it('plays by its link alone: segments inherit the token, anyone’s page may load them', async () => {
    await addRecording(api, id);
    await addSegment(api, id, 0, 'zero');
    const { playlist } = await linksOf(`/v1/recordings/${id}`);
    const response = await fetch(String(playlist));
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
    const [segment] = await urisOf(response);
    const media = await fetch(String(segment));
    expect(await media.text()).toBe('zero');
    expect(media.headers.get('Content-Type')).toBe('video/mp2t');
    expect(media.headers.get('Cache-Control')).toContain('immutable');
  });

  it('keeps a link to its own recording, to playing, and to its signature', async () => {
    await addRecording(api, id);
    await addSegment(api, id, 0, 'zero');
    const other = mediaRecordingId();
    await addRecording(api, other);
    await addSegment(api, other, 0, 'other');
    const playlist = String((await linksOf(`/v1/recordings/${id}`)).playlist);
    const statusOf = async (url: string, method = 'GET'): Promise<number> =>
      (await fetch(url, { method })).status;
    expect(await statusOf(playlist.replaceAll(id, other))).toBe(403);
    expect(
      await statusOf(
        playlist.replace('index.m3u8', '').replace(id, other) + 'segments/000000-0-1.ts',
      ),
    ).toBe(403);
    expect(await statusOf(playlist.replace('/index.m3u8', '/stop'), 'POST')).toBe(403);
    expect(await statusOf(playlist.replace('/index.m3u8', ''), 'DELETE')).toBe(403);
    expect(await statusOf(playlist.replace(`/recordings/${id}/index.m3u8`, '/recordings'))).toBe(
      403,
    );
    expect(await statusOf(playlist.replace('/t/', '/t/x'))).toBe(403);
    const viewer = (await (await fetch(playlist.replace('/index.m3u8', ''))).json()) as object;
    expect(viewer).toMatchObject({ id, state: 'recording' });
    // Where a class is recorded from is nothing for viewers.
    expect(viewer).not.toHaveProperty('source');
    expect(viewer).not.toHaveProperty('metadata');
  });
});

describe('a segment', () => {
  it('is served whole, in ranges, from inside a packed object, and by HEAD', async () => {
    await addRecording(api, id);
    await api.services.store.put(`recordings/${id}/packed`, Buffer.from('xx0123456789xx'));
    const place = { object: `recordings/${id}/packed`, offset: 2, length: 10 };
    await addSegment(api, id, 0, undefined, { place });
    const get = (headers: Record<string, string>, method = 'GET'): Promise<Response> =>
      api.request(`/v1/recordings/${id}/segments/000000-0-1.ts`, { headers, method });
    const whole = await get({});
    expect([await whole.text(), whole.headers.get('Content-Length')]).toEqual(['0123456789', '10']);
    const middle = await get({ Range: 'bytes=2-4' });
    expect([middle.status, await middle.text(), middle.headers.get('Content-Range')]).toEqual([
      206,
      '234',
      'bytes 2-4/10',
    ]);
    expect(await (await get({ Range: 'bytes=-3' })).text()).toBe('789');
    expect(await (await get({ Range: 'bytes=8-99' })).text()).toBe('89');
    const beyond = await get({ Range: 'bytes=10-' });
    expect([beyond.status, beyond.headers.get('Content-Range')]).toEqual([416, 'bytes */10']);
    const head = await get({}, 'HEAD');
    expect([head.headers.get('Content-Length'), await head.text()]).toEqual(['10', '']);
    const again = await get(ifNoneMatch(whole));
    expect(again.status).toBe(304);
  });

  it('is known only under the lane and epoch that made it', async () => {
    await addRecording(api, id);
    await addSegment(api, id, 0, 'zero');
    for (const name of ['000000-1-1.ts', '000000-0-2.ts', '000001-0-1.ts', '0-0-1.ts', 'x.ts']) {
      expect((await api.request(`/v1/recordings/${id}/segments/${name}`)).status).toBe(404);
    }
  });
});

describe('a highlight', () => {
  const at = (ms: number): number => RECENT_ORIGIN_MS + ms;
  const trigger = {
    triggerId: 't',
    atMs: at(7000),
    beforeMs: 3000,
    afterMs: 1000,
    title: '精彩 moment!',
  };

  async function triggered(body: object = trigger): Promise<Record<string, unknown>> {
    const answer = await api.json('POST', `/v1/recordings/${id}/highlights`, body);
    expect(answer.status).toBe(201);
    return answer.body;
  }

  it('is made once for a trigger, listed and looked at', async () => {
    await addRecording(api, id);
    const highlight = await triggered();
    const again = await api.json('POST', `/v1/recordings/${id}/highlights`, trigger);
    expect([again.status, again.body.id]).toEqual([200, highlight.id]);
    expect(highlight).toMatchObject({
      state: 'open',
      window: { startMs: at(4000), endMs: at(8000) },
      clip: null,
      links: { mp4: null, poster: null },
    });
    const list = await api.json('GET', `/v1/recordings/${id}/highlights`);
    expect(list.body.highlights).toHaveLength(1);
    const one = await api.json('GET', `/v1/highlights/${String(highlight.id)}`);
    expect(one.body).toMatchObject({ id: highlight.id, title: '精彩 moment!' });
  });

  it('needs nothing said: now, 30 s before and 5 s after', async () => {
    await addRecording(api, id, { originMs: Math.floor(Date.now() / 1600) * 1600 - 160_000 });
    const response = await api.request(`/v1/recordings/${id}/highlights`, { method: 'POST' });
    const { window } = (await response.json()) as { window: { startMs: number; endMs: number } };
    expect(window.endMs - window.startMs).toBe(35_000);
  });

  it.each([
    [{ beforeMs: -1 }, 'beforeMs'],
    [{ afterMs: 3_600_000 }, 'afterMs'],
    [{ beforeMs: 0, afterMs: 0 }, 'beforeMs'],
    [{ atMs: 'now' }, 'atMs'],
    [{ atMs: 1 }, 'atMs'],
    [{ when: 1 }, 'when'],
  ])('refuses %j', async (body, field) => {
    await addRecording(api, id);
    const answer = await api.json('POST', `/v1/recordings/${id}/highlights`, body);
    expect(answer.body).toMatchObject({ status: 400, field });
  });

  it('plays at once from the recording’s segments, exact at its start, and ends with its window', async () => {
    await addRecording(api, id);
    for (const n of [0, 1, 2, 3]) await addSegment(api, id, n, `segment ${n}`);
    const { links } = (await triggered()) as { links: Record<string, string> };
    const open = await fetch(String(links.playlist));
    const text = await open.clone().text();
    // Segment 2 begins at 3.2 s, the window at 4.0 s.
    expect(text).toContain('#EXT-X-START:TIME-OFFSET=0.8,PRECISE=YES');
    expect(text).toContain('#EXT-X-MEDIA-SEQUENCE:2');
    expect(text).not.toContain('ENDLIST');
    const uris = await urisOf(open);
    expect(uris).toHaveLength(2);
    expect(await (await fetch(String(uris[0]))).text()).toBe('segment 2');
    // The clip's link opens the clip's segments, and no others.
    const outside = String(uris[0]).replace('000002', '000001');
    expect((await fetch(outside)).status).toBe(403);

    await addSegment(api, id, 4, 'segment 4');
    await addSegment(api, id, 5, 'segment 5');
    const closed = await fetch(String(links.playlist));
    expect(await closed.clone().text()).toContain('#EXT-X-ENDLIST');
    expect(await urisOf(closed)).toHaveLength(3);
  });

  it('waits for its first segment, and asks to come back when that takes longer', async () => {
    await addRecording(api, id);
    for (const n of [0, 1]) await addSegment(api, id, n, `segment ${n}`);
    const { links } = (await triggered()) as { links: Record<string, string> };
    const waiting = fetch(String(links.playlist));
    await addSegment(api, id, 2, 'two');
    expect((await waiting).status).toBe(200);

    const later = await triggered({ ...trigger, triggerId: 'later', atMs: at(30_000) });
    const early = await fetch(String((later.links as Record<string, string>).playlist));
    expect([early.status, early.headers.get('Retry-After')]).toEqual([503, '2']);
  });

  it('says that a clip of sound alone has no poster', async () => {
    await addRecording(api, id);
    const highlightId = String((await triggered()).id);
    const mp4 = { object: `highlights/${highlightId}/clip.mp4`, length: 6, durationMs: 4000 };
    await api.services.highlights.update(highlightId, (highlight) => ({
      ...highlight,
      state: 'completed',
      clip: { mp4, poster: null },
    }));
    const links = await linksOf(`/v1/highlights/${highlightId}`);
    expect([typeof links.mp4, links.poster]).toEqual(['string', null]);
    const poster = await api.request(`/v1/highlights/${highlightId}/poster.jpg`);
    expect(poster.status).toBe(404);
    expect(await poster.json()).toMatchObject({ code: 'poster-missing' });
  });

  it('has its MP4 and poster once they are made', async () => {
    await addRecording(api, id);
    const highlightId = String((await triggered()).id);
    const early = await api.request(`/v1/highlights/${highlightId}/clip.mp4`);
    expect([early.status, early.headers.get('Retry-After')]).toEqual([404, '2']);
    expect(await early.json()).toMatchObject({ code: 'clip-not-ready' });

    const { store, highlights } = api.services;
    const [mp4, poster] = [
      `highlights/${highlightId}/clip.mp4`,
      `highlights/${highlightId}/poster.jpg`,
    ];
    await store.put(mp4, Buffer.from('an mp4'));
    await store.put(poster, Buffer.from('a jpeg'));
    await highlights.update(highlightId, (highlight) => ({
      ...highlight,
      state: 'completed',
      clip: {
        mp4: { object: mp4, length: 6, durationMs: 4000 },
        poster: { object: poster, length: 6 },
      },
    }));
    const links = await linksOf(`/v1/highlights/${highlightId}`);
    const clip = await fetch(String(links.mp4), { headers: { Range: 'bytes=0-1' } });
    expect([clip.status, await clip.text(), clip.headers.get('Content-Type')]).toEqual([
      206,
      'an',
      'video/mp4',
    ]);
    const file = await fetch(String(links.download));
    expect(file.headers.get('Content-Disposition')).toMatch(
      /^attachment; .*filename\*=UTF-8''%E7%B2%BE/,
    );
    const picture = await fetch(String(links.poster));
    expect([await picture.text(), picture.headers.get('Content-Type')]).toEqual([
      'a jpeg',
      'image/jpeg',
    ]);

    await highlights.update(highlightId, (h) => ({
      ...h,
      clip: null,
      state: 'failed',
      reason: 'why',
    }));
    const failed = await api.request(`/v1/highlights/${highlightId}/clip.mp4`);
    expect(await failed.json()).toMatchObject({ code: 'clip-failed', status: 404 });
  });
});

describe('without Redis', () => {
  it('answers 503, is not ready, and stays alive', async () => {
    const own = await openApiServer();
    try {
      await addRecording(own, id);
      const info = await own.services.redis.client.info('server');
      process.kill(Number(/process_id:(\d+)/.exec(info)?.[1]), 'SIGKILL');
      const gone = await waitUntil(
        'requests fail',
        async () => {
          const response = await own.request(`/v1/recordings/${id}`);
          return response.status === 200 ? undefined : response;
        },
        10_000,
      );
      expect(gone.status).toBe(503);
      expect(await gone.json()).toMatchObject({ code: 'redis-unavailable' });
      expect((await own.request('/readyz')).status).toBe(503);
      expect((await own.request('/healthz')).status).toBe(200);
      expect((await own.request('/metrics')).status).toBe(200);
    } finally {
      await own.close();
    }
  });
});
