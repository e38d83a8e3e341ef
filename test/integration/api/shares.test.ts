import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signLink, type Link } from '../../../src/access/links.ts';
import { delay, Resources } from '../../../src/lifecycle.ts';
import type { Highlight } from '../../../src/model/highlight.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { openApiServer, TEST_LINK_SECRET, type ApiServer } from '../../support/api-server.ts';
import { sampleHighlight } from '../../support/sample-records.ts';
import { openSecondApi } from '../../support/second-api.ts';
import { addRecording, addSegment, mediaRecordingId, RECENT_ORIGIN_MS } from './media-fixture.ts';

/** What is promised of a revocation. */
const REVOKED_WITHIN_MS = 1000;
/** Often within the time that an answer is remembered. */
const ASK_EVERY_MS = 20;

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

/** A highlight of the first three segments, with its clip. */
async function addHighlight(change: Partial<Highlight> = {}): Promise<string> {
  const highlightId = `${id}-clip`;
  const { store, highlights } = api.services;
  const [mp4, poster] = [objectKeys.clipMp4(highlightId), objectKeys.clipPoster(highlightId)];
  await store.put(mp4, Buffer.from('an mp4'));
  await store.put(poster, Buffer.from('a jpeg'));
  await highlights.create(
    sampleHighlight({
      id: highlightId,
      recordingId: id,
      triggerId: highlightId,
      triggeredAtMs: RECENT_ORIGIN_MS + 4000,
      window: { startMs: RECENT_ORIGIN_MS + 1000, endMs: RECENT_ORIGIN_MS + 4800 },
      state: 'completed',
      clip: {
        mp4: { object: mp4, length: 6, durationMs: 3800 },
        poster: { object: poster, length: 6 },
      },
      ...change,
    }),
  );
  return highlightId;
}

async function addLesson(): Promise<void> {
  await addRecording(api, id);
  for (const n of [0, 1, 2, 3]) await addSegment(api, id, n, `segment ${n}`);
}

type ShareBody = { id: string; token: string; url: string; expiresAtMs: number };

async function share(body: object): Promise<ShareBody> {
  const answer = await api.json('POST', '/v1/shares', body);
  expect(answer.status).toBe(201);
  return answer.body as ShareBody;
}

/** Asks by a link, for a path below `/v1/`. */
function ask(token: string, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${api.url}/t/${token}/v1/${path}`, init);
}

async function refusalOf(response: Response): Promise<[number, unknown]> {
  const problem = (await response.json()) as { status: number; code: string };
  expect(response.headers.get('Content-Type')).toContain('application/problem+json');
  expect(problem.status).toBe(response.status);
  return [response.status, problem.code];
}

function signed(change: Partial<Link>, secret = TEST_LINK_SECRET): string {
  const link: Link = {
    kind: 'recording',
    id,
    rights: ['play', 'download', 'favourite', 'trigger'],
    viewerId: null,
    shareId: null,
    expiresAtMs: Date.now() + 60_000,
  };
  return signLink({ ...link, ...change }, [secret]);
}

describe('a share', () => {
  it('is made for a page: watch, panel or share', async () => {
    await addLesson();
    const highlightId = await addHighlight();
    const pages: [object, string][] = [
      [{ recordingId: id }, `/watch/${id}`],
      [{ recordingId: id, rights: ['play', 'trigger'] }, `/panel/${id}`],
      [{ highlightId, rights: ['play', 'download'] }, `/share/${highlightId}`],
    ];
    for (const [body, path] of pages) {
      const { url, token } = await share(body);
      expect(url).toBe(`${api.url}${path}?t=${token}`);
    }
    const { body } = await api.json('GET', `/v1/shares?recording=${id}`);
    const shares = body.shares as (ShareBody & { rights: string[] })[];
    expect(shares.map(({ rights }) => rights)).toEqual([['play', 'trigger'], ['play']]);
    expect(shares[1]).toMatchObject({ recordingId: id, highlightId: null, viewer: null });
    // The record is kept beside what it is for; the token nowhere.
    const target = { kind: 'recording', targetId: id, id: shares[0]?.id ?? '' } as const;
    const stored = (await api.services.store.read(objectKeys.share(target))).toString();
    expect(stored).not.toContain(String(shares[0]?.token.split('.')[1]));
  });

  it.each([
    [{}, 'recordingId'],
    [{ recordingId: 'a', highlightId: 'b' }, 'recordingId'],
    [{ recordingId: 'a', rights: [] }, 'rights'],
    [{ recordingId: 'a', rights: ['own'] }, 'rights.0'],
    [{ recordingId: 'a', rights: ['favourite'] }, 'viewer'],
    [{ highlightId: 'a', rights: ['trigger'] }, 'rights'],
    [{ recordingId: 'a', expiresInS: 0 }, 'expiresInS'],
    [{ recordingId: 'a', forever: true }, 'forever'],
  ])('is refused as %j', async (body, field) => {
    const answer = await api.json('POST', '/v1/shares', body);
    expect(answer.body).toMatchObject({ status: 400, field });
  });

  it('is for something that is there, and known only while it is', async () => {
    const missing = await api.json('POST', '/v1/shares', { recordingId: 'nobody' });
    expect(missing.body).toMatchObject({ status: 404, code: 'recording-not-found' });
    const clip = await api.json('POST', '/v1/shares', { highlightId: 'nobody' });
    expect(clip.body).toMatchObject({ status: 404, code: 'highlight-not-found' });
    const unknown = await api.json('DELETE', '/v1/shares/nobody');
    expect(unknown.body).toMatchObject({ status: 404, code: 'share-not-found' });
    for (const query of ['', '?recording=a&highlight=b', '?owner=a']) {
      expect((await api.json('GET', `/v1/shares${query}`)).status).toBe(400);
    }
  });

  it('counts no more within a second of being revoked, in every process, even for one just in use', async () => {
    await addLesson();
    const second = resources.use(await openSecondApi(api));
    const { id: shareId, token } = await share({ recordingId: id });
    const other = await share({ recordingId: id });
    const segment = `/t/${token}/v1/recordings/${id}/segments/000000-0-1.ts`;
    const urls = [api.url, second.url].map((base) => base + segment);
    for (const url of urls) expect((await fetch(url)).status).toBe(200);

    const revoked = api.json('DELETE', `/v1/shares/${shareId}`).then(({ status }) => {
      expect(status).toBe(204);
      return performance.now();
    });
    const lastServed = urls.map(async (url) => {
      // Asking all the while keeps the answer fresh in memory: the worst case.
      for (let servedAtMs = 0; ;) {
        const askedAtMs = performance.now();
        const response = await fetch(url);
        if (response.status !== 200) {
          expect(await refusalOf(response)).toEqual([410, 'link-revoked']);
          return servedAtMs;
        }
        servedAtMs = askedAtMs;
        await delay(ASK_EVERY_MS);
      }
    });
    // By when it was asked for: an answer that a busy machine gives late is as good as one given at once.
    const [revokedAtMs, ...servedAtMs] = await Promise.all([revoked, ...lastServed]);
    expect(Math.max(...servedAtMs) - revokedAtMs).toBeLessThan(REVOKED_WITHIN_MS);
    expect((await api.json('DELETE', `/v1/shares/${shareId}`)).status).toBe(404);
    const left = (await api.json('GET', `/v1/shares?recording=${id}`)).body.shares;
    expect((left as ShareBody[]).map((one) => one.id)).toEqual([other.id]);
    expect((await ask(other.token, `recordings/${id}`)).status).toBe(200);
  });

  it('is forgotten some time after it has expired', async () => {
    await addLesson();
    const { token } = await share({ recordingId: id, expiresInS: 1 });
    const { shares } = api.services;
    const target = { kind: 'recording', targetId: id } as const;
    expect(await shares.removeExpired(Date.now(), 100)).toBe(0);
    expect(await shares.removeExpired(Date.now() + 1001, 100)).toBe(1);
    expect(await shares.list(target)).toEqual([]);
    expect(await refusalOf(await ask(token, `recordings/${id}`))).toEqual([410, 'link-revoked']);
  });
});

describe('a link', () => {
  it('is refused with a reason: wrong, expired, of something else, without the right, without a viewer', async () => {
    await addLesson();
    const highlightId = await addHighlight();
    const other = `${id}-other`;
    await addRecording(api, other);
    const recording = `recordings/${id}`;
    const clip = `highlights/${highlightId}`;
    const cases: [string, string, string, [number, string]][] = [
      ['GET', signed({}, 'another-secret-0123456789'), recording, [403, 'link-invalid']],
      ['GET', 'nonsense', recording, [403, 'link-invalid']],
      ['GET', signed({ expiresAtMs: Date.now() }), recording, [410, 'link-expired']],
      ['GET', signed({ shareId: 'nobody' }), recording, [410, 'link-revoked']],
      ['GET', signed({ id: other }), recording, [403, 'link-foreign']],
      ['GET', signed({ id: other }), clip, [403, 'link-foreign']],
      ['GET', signed({ kind: 'highlight', id: highlightId }), recording, [403, 'link-foreign']],
      ['GET', signed({ kind: 'highlight', id: other }), clip, [403, 'link-foreign']],
      ['GET', signed({ rights: ['trigger'] }), recording, [403, 'right-missing']],
      ['GET', signed({ rights: ['play'] }), `${clip}/clip.mp4?download=1`, [403, 'right-missing']],
      ['POST', signed({ rights: ['play'] }), `${recording}/highlights`, [403, 'right-missing']],
      ['PATCH', signed({ rights: ['play'] }), clip, [403, 'right-missing']],
      ['PUT', signed({ rights: ['play'] }), `${clip}/favourite`, [403, 'right-missing']],
      ['PUT', signed({}), `${clip}/favourite`, [403, 'viewer-missing']],
      ['PUT', signed({ viewerId: 'a' }), `${clip}/favourites/b`, [403, 'key-needed']],
      ['DELETE', signed({}), clip, [403, 'key-needed']],
      ['POST', signed({}), `${recording}/stop`, [403, 'key-needed']],
      ['POST', signed({}), `${recording}/erase`, [403, 'key-needed']],
      ['GET', signed({}), 'highlights', [403, 'key-needed']],
      ['POST', signed({}), 'shares', [403, 'key-needed']],
    ];
    for (const [method, token, path, refusal] of cases) {
      const response = await ask(token, path, { method });
      expect([method, path, ...(await refusalOf(response))]).toEqual([method, path, ...refusal]);
    }
  });

  it('does not tell whether there is what it is not for', async () => {
    await addLesson();
    const highlightId = await addHighlight();
    const token = signed({ kind: 'recording', id: `${id}-other` });
    const paths: [string, string][] = [
      [`recordings/${id}`, 'recordings/nobody'],
      [`recordings/${id}/segments/000000-0-1.ts`, 'recordings/nobody/segments/000000-0-1.ts'],
      [`highlights/${highlightId}`, 'highlights/nobody'],
      [`highlights/${highlightId}/clip.mp4`, 'highlights/nobody/clip.mp4'],
    ];
    for (const pair of paths) {
      const [there, missing] = await Promise.all(
        pair.map(async (path) => (await ask(token, path)).text()),
      );
      expect(there).toBe(missing);
    }
  });

  it('of a recording lists and plays its highlights, in a form without private data', async () => {
    await addLesson();
    const change = {
      title: '精彩',
      requestedBy: 'Ms Lee',
      participants: ['child-7'],
      tags: ['goal'],
    };
    const highlightId = await addHighlight(change);
    const { token } = await share({
      recordingId: id,
      rights: ['play', 'favourite'],
      viewer: 'p-1',
    });
    const list = await ask(token, `recordings/${id}/highlights`);
    const { highlights } = (await list.json()) as {
      highlights: { links: Record<string, string | null>; isFavourite: boolean }[];
    };
    expect(highlights).toHaveLength(1);
    const [viewed] = highlights;
    expect(viewed).toMatchObject({
      id: highlightId,
      title: '精彩',
      isFavourite: false,
      clip: { durationMs: 3800, bytes: 6 },
      links: { download: null, mp4: `highlights/${highlightId}/clip.mp4` },
    });
    expect(JSON.stringify(viewed)).not.toContain('child-7');
    for (const secret of ['participants', 'triggerId', 'origin', 'teacher']) {
      expect(viewed).not.toHaveProperty(secret);
    }
    for (const form of ['playlist', 'mp4', 'poster']) {
      expect((await ask(token, String(viewed?.links[form]))).status).toBe(200);
    }
    const put = await ask(token, `highlights/${highlightId}/favourite`, { method: 'PUT' });
    expect(put.status).toBe(204);
    const one = (await (await ask(token, `highlights/${highlightId}`)).json()) as object;
    expect(one).toMatchObject({
      isFavourite: true,
      viewerId: 'p-1',
      rights: ['play', 'favourite'],
    });
  });

  it('passes a clip on: no more rights, no longer, and revoked with the link it came from', async () => {
    await addLesson();
    const highlightId = await addHighlight();
    const given = await share({ recordingId: id, rights: ['play', 'favourite'], viewer: 'p-1' });
    const viewed = (await (await ask(given.token, `highlights/${highlightId}`)).json()) as {
      links: { share: string };
    };
    const url = new URL(viewed.links.share);
    expect(url.pathname).toBe(`/share/${highlightId}`);
    const passedOn = String(url.searchParams.get('t'));
    const shown = await ask(passedOn, `highlights/${highlightId}`);
    expect(await shown.json()).toMatchObject({ rights: ['play'], viewerId: null });
    expect((await ask(passedOn, `recordings/${id}`)).status).toBe(403);
    expect((await ask(passedOn, `highlights/${highlightId}/clip.mp4?download=1`)).status).toBe(403);
    await api.json('DELETE', `/v1/shares/${given.id}`);
    const later = await ask(passedOn, `highlights/${highlightId}`);
    expect(await refusalOf(later)).toEqual([410, 'link-revoked']);
  });

  it('saves and names moments of its own recording', async () => {
    await addLesson();
    const token = signed({ rights: ['play', 'trigger'] });
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify({ atMs: RECENT_ORIGIN_MS + 4000, beforeMs: 2000, afterMs: 0 });
    const saved = await ask(token, `recordings/${id}/highlights`, {
      method: 'POST',
      body,
      headers,
    });
    expect(saved.status).toBe(201);
    const highlight = (await saved.json()) as { id: string };
    expect(highlight).not.toHaveProperty('participants');
    const path = `highlights/${highlight.id}`;
    const named = await ask(token, path, {
      method: 'PATCH',
      body: JSON.stringify({ title: 'Well done' }),
      headers,
    });
    expect(await named.json()).toMatchObject({ title: 'Well done' });
    expect(await api.services.highlights.get(highlight.id)).toMatchObject({
      title: 'Well done',
      origin: 'panel',
    });
    const foreign = signed({ id: `${id}-other`, rights: ['play', 'trigger'] });
    expect(
      await refusalOf(await ask(foreign, path, { method: 'PATCH', body: '{}', headers })),
    ).toEqual([403, 'link-foreign']);
  });
});

describe('what is served by links', () => {
  /** Of an answer: what a cache keeps. The date says when it was asked for. */
  async function answerOf(url: string): Promise<{ headers: [string, string][]; bytes: Buffer }> {
    const response = await fetch(url, { headers: { 'Accept-Encoding': 'gzip' } });
    expect(response.status).toBe(200);
    const headers = [...response.headers].filter(([name]) => name !== 'date');
    return { headers, bytes: Buffer.from(await response.arrayBuffer()) };
  }

  it('is the same for all viewers, byte for byte and header for header, and may be kept by a CDN', async () => {
    await addLesson();
    const highlightId = await addHighlight();
    await api.services.recordings.update(id, (recording) => ({ ...recording, state: 'completed' }));
    const viewers = await Promise.all([
      share({ recordingId: id, rights: ['play', 'favourite'], viewer: 'p-1' }),
      share({ recordingId: id, rights: ['play', 'download'], viewer: '父母-2' }),
      share({ recordingId: id }),
    ]);
    const paths: [string, string][] = [
      [`recordings/${id}/index.m3u8`, 'public, max-age=300'],
      [`recordings/${id}/live.m3u8`, 'public, max-age=300'],
      [`recordings/${id}/final.m3u8`, 'public, max-age=300'],
      [`recordings/${id}/segments/000001-0-1.ts`, 'public, max-age=31536000, immutable'],
      [`highlights/${highlightId}/clip.m3u8`, 'public, max-age=300'],
      [`highlights/${highlightId}/clip.mp4`, 'public, max-age=31536000, immutable'],
      [`highlights/${highlightId}/poster.jpg`, 'public, max-age=31536000, immutable'],
    ];
    for (const [path, cacheControl] of paths) {
      const [first, ...others] = await Promise.all(
        viewers.map(({ token }) => answerOf(`${api.url}/t/${token}/v1/${path}`)),
      );
      for (const other of others) expect(other).toEqual(first);
      expect(Object.fromEntries(first?.headers ?? [])).toMatchObject({
        'cache-control': cacheControl,
        'access-control-allow-origin': '*',
      });
      expect(first?.headers.map(([name]) => name)).not.toContain('set-cookie');
      for (const { token } of viewers) expect(first?.bytes.includes(token)).toBe(false);
    }
  });
});

describe('a clip’s file', () => {
  const date = new Date(RECENT_ORIGIN_MS + 4000).toISOString().slice(0, 'yyyy-mm-dd'.length);

  it.each([
    [
      '精彩 moment! 🎉',
      `filename="?? moment! ?? ${date}.mp4"; ` +
        `filename*=UTF-8''%E7%B2%BE%E5%BD%A9%20moment!%20%F0%9F%8E%89%20${date}.mp4`,
    ],
    ['a/b\\c:"d"\u202e\n*?\ud800', `filename="a b c d ${date}.mp4"`],
    ['..', `filename="Highlight ${date}.mp4"`],
    [null, `filename="Highlight ${date}.mp4"`],
  ])('called %j is downloaded under a name any system takes, with ranges', async (title, name) => {
    await addLesson();
    const highlightId = await addHighlight({ title });
    const token = signed({ kind: 'highlight', id: highlightId, rights: ['play', 'download'] });
    const path = `highlights/${highlightId}/clip.mp4`;
    const part = await ask(token, `${path}?download=1`, { headers: { Range: 'bytes=3-4' } });
    expect([part.status, await part.text()]).toEqual([206, 'mp']);
    expect(part.headers.get('Content-Disposition')).toBe(`attachment; ${name}`);
    // Without being asked to, it is played in place.
    expect((await ask(token, path)).headers.get('Content-Disposition')).toBeNull();
  });
});
