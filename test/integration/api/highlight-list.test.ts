import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Highlight } from '../../../src/model/highlight.ts';
import { membershipsOf } from '../../../src/storage/records/highlight-lists.ts';
import { redisKeys } from '../../../src/storage/redis-keys.ts';
import { collect } from '../../support/collect.ts';
import { openApiServer, type ApiServer } from '../../support/api-server.ts';
import {
  SAMPLE_ORIGIN_MS,
  sampleHighlight,
  sampleRecording,
} from '../../support/sample-records.ts';

let api: ApiServer;
/** Words of one test alone: all of them share one Redis. */
let word: string;
let count = 0;
beforeAll(async () => {
  api = await openApiServer();
});
afterAll(() => api.close());
beforeEach(async () => {
  word = `w${count++}`;
  await api.services.recordings.create(sampleRecording({ id: word, state: 'recording' }));
});

/** A moment `atMs` after the sample recording's origin. */
async function addMoment(
  name: string,
  atMs: number,
  change: Partial<Highlight> = {},
): Promise<string> {
  const id = `${word}-${name}`;
  const triggeredAtMs = SAMPLE_ORIGIN_MS + atMs;
  const moment = { id, recordingId: word, triggerId: id, triggeredAtMs, tags: [word] };
  await api.services.highlights.create(sampleHighlight({ ...moment, ...change }));
  return id;
}

type Page = { highlights: { id: string }[]; nextCursor: string | null };

async function find(query: Record<string, string | number>): Promise<Page> {
  const search = new URLSearchParams(query as Record<string, string>);
  const answer = await api.json('GET', `/v1/highlights?${search.toString()}`);
  expect(answer.status).toBe(200);
  return answer.body as Page;
}

/** Names of what is found, newest moment first. */
async function namesOf(query: Record<string, string | number>): Promise<string[]> {
  const { highlights } = await find(query);
  return highlights.map(({ id }) => id.replace(`${word}-`, ''));
}

describe('GET /v1/highlights', () => {
  it('finds by recording, teacher, participant, tag and time, all at once', async () => {
    const other = `${word}-other`;
    await api.services.recordings.create(sampleRecording({ id: other, state: 'recording' }));
    await addMoment('a', 1000, { requestedBy: `Lee ${word}`, participants: ['kim', 'bo'] });
    await addMoment('b', 2000, { teacher: `Lee ${word}`, participants: ['kim'] });
    await addMoment('c', 3000, { participants: ['bo'], tags: [word, 'goal'] });
    await addMoment('d', 4000, { recordingId: other, participants: ['kim'], tags: [word, 'goal'] });
    const tag = word;
    expect(await namesOf({ tag })).toEqual(['d', 'c', 'b', 'a']);
    expect(await namesOf({ recording: word })).toEqual(['c', 'b', 'a']);
    expect(await namesOf({ teacher: `Lee ${word}` })).toEqual(['b', 'a']);
    expect(await namesOf({ tag, participant: 'kim' })).toEqual(['d', 'b', 'a']);
    expect(await namesOf({ tag: 'goal', participant: 'kim', recording: other })).toEqual(['d']);
    expect(await namesOf({ tag: 'goal', teacher: 'nobody' })).toEqual([]);
    await api.services.highlights.update(`${word}-b`, (h) => ({ ...h, state: 'failed' }));
    expect(await namesOf({ tag, state: 'failed' })).toEqual(['b']);
    const [from, to] = [SAMPLE_ORIGIN_MS + 2000, SAMPLE_ORIGIN_MS + 4000];
    expect(await namesOf({ tag, from, to })).toEqual(['c', 'b']);
    const iso = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    expect(await namesOf({ tag, ...iso })).toEqual(['c', 'b']);
  });

  it('finds by the recording’s teacher what others asked for', async () => {
    const teacher = `Ms Lee ${word}`;
    const id = `${word}-taught`;
    const { recordings } = api.services;
    await recordings.create(
      sampleRecording({
        id,
        state: 'recording',
        originMs: SAMPLE_ORIGIN_MS,
        metadata: { teacher },
      }),
    );
    const trigger = { atMs: SAMPLE_ORIGIN_MS + 60_000, requestedBy: `Mr Oh ${word}` };
    await api.json('POST', `/v1/recordings/${id}/highlights`, trigger);
    for (const who of [teacher, trigger.requestedBy]) {
      expect((await find({ teacher: who })).highlights).toHaveLength(1);
    }
  });

  it('pages through every moment once, whatever is added and taken away meanwhile', async () => {
    // Three of a millisecond each: ids decide.
    for (let i = 0; i < 30; i++) await addMoment(`old-${i}`, 1000 + Math.floor(i / 3));
    const before = await namesOf({ tag: word, limit: 100 });
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let page = 0; ; page++) {
      const query: Record<string, string | number> = { tag: word, limit: 4 };
      const found: Page = await find(cursor === null ? query : { ...query, cursor });
      seen.push(...found.highlights.map(({ id }) => id.replace(`${word}-`, '')));
      cursor = found.nextCursor;
      if (cursor === null) break;
      expect(found.highlights).toHaveLength(4);
      await addMoment(`new-${page}`, 100_000 + page);
      // One that was shown already, and the place of the cursor itself.
      await api.services.highlights.delete(`${word}-${String(seen.at(-1))}`);
    }
    expect(seen).toEqual(before);
  });

  it('looks at so much in one request and no more: a page may be empty before the list is over', async () => {
    const rare = `rare-${word}`;
    const { client } = api.services.redis;
    // As the repository has them in Redis; the store's part of so many would take long.
    const pipeline = client.pipeline();
    for (let i = 0; i < 1100; i++) {
      const moment = { id: `${word}-${i}`, recordingId: word, tags: [word] };
      const highlight = sampleHighlight({
        ...moment,
        triggeredAtMs: SAMPLE_ORIGIN_MS + 10_000 + i,
      });
      pipeline.hset(redisKeys.highlight(highlight.id), {
        json: JSON.stringify(highlight),
        version: '1',
      });
      for (const { key, score } of membershipsOf(highlight)) {
        pipeline.zadd(key, score, highlight.id);
      }
      // Longer than the list of the tag, so that it is not the one that is read.
      pipeline.zadd(redisKeys.highlightsOfParticipant(rare), i, `x${i}`);
    }
    await pipeline.exec();
    await addMoment('wanted', 1000, { participants: [rare] });
    await client.zadd(redisKeys.highlightsOfParticipant(rare), 2000, 'y', 2001, 'z');
    const query = { tag: word, participant: rare, limit: 10 };
    const first = await find(query);
    expect(first.highlights).toEqual([]);
    const second = await find({ ...query, cursor: String(first.nextCursor) });
    expect(second.highlights.map(({ id }) => id)).toEqual([`${word}-wanted`]);
    expect(second.nextCursor).toBeNull();
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['from=yesterday', 'from'],
    ['to=2026-11-21T09:00:00', 'to'],
    ['cursor=nonsense', 'cursor'],
    ['colour=red', 'colour'],
    ['tag=', 'tag'],
    ['state=gone', 'state'],
  ])('refuses ?%s', async (query, field) => {
    const answer = await api.json('GET', `/v1/highlights?${query}`);
    expect(answer.body).toMatchObject({ status: 400, field });
  });
});

describe('PATCH /v1/highlights/:id', () => {
  it('changes what is named, and where it is found', async () => {
    const id = await addMoment('a', 1000, { title: 'old', participants: ['kim'] });
    const path = `/v1/highlights/${id}`;
    const tags = [`goal-${word}`, `goal-${word}`];
    const changed = await api.json('PATCH', path, { title: 'new', tags });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ title: 'new', tags: [tags[0]], participants: ['kim'] });
    expect(await namesOf({ tag: word })).toEqual([]);
    expect(await namesOf({ tag: `goal-${word}` })).toEqual(['a']);
    await api.json('PATCH', path, { title: null, participants: [`bo-${word}`], tags: [] });
    expect(await namesOf({ tag: `goal-${word}` })).toEqual([]);
    expect(await namesOf({ participant: `bo-${word}` })).toEqual(['a']);
    expect((await api.json('GET', path)).body).toMatchObject({ title: null, tags: [] });
  });

  it.each([
    [{}, 'body'],
    [{ title: 7 }, 'title'],
    [{ title: 'x'.repeat(201) }, 'title'],
    [{ tags: 'goal' }, 'tags'],
    [{ tags: [''] }, 'tags.0'],
    [{ participants: Array.from({ length: 51 }, (_, i) => `${i}`) }, 'participants'],
    [{ state: 'completed' }, 'state'],
  ])('refuses %j', async (body, field) => {
    const id = await addMoment('a', 1000);
    const answer = await api.json('PATCH', `/v1/highlights/${id}`, body);
    expect(answer.body).toMatchObject({ status: 400, field });
  });
});

describe('favourites', () => {
  it('are each viewer’s own, may be said twice, and are found newest moment first', async () => {
    const ids = [
      await addMoment('a', 1000),
      await addMoment('b', 2000),
      await addMoment('c', 3000),
    ];
    const path = (id: string, viewer: string): string =>
      `/v1/highlights/${id}/favourites/${encodeURIComponent(viewer)}`;
    const viewer = `妈妈/${word}`;
    for (const id of [ids[2], ids[0], ids[0]]) {
      expect((await api.json('PUT', path(String(id), viewer))).status).toBe(204);
    }
    await api.json('PUT', path(String(ids[1]), `other-${word}`));
    expect(await namesOf({ favouriteOf: viewer })).toEqual(['c', 'a']);
    expect(await namesOf({ favouriteOf: viewer, limit: 1 })).toEqual(['c']);
    expect(await namesOf({ favouriteOf: viewer, tag: 'elsewhere' })).toEqual([]);
    for (let i = 0; i < 2; i++) {
      expect((await api.json('DELETE', path(String(ids[2]), viewer))).status).toBe(204);
    }
    expect(await namesOf({ favouriteOf: viewer })).toEqual(['a']);
    const stored = await collect(
      api.services.store.list(`highlights/${String(ids[0])}/favourites/`),
    );
    expect(stored).toHaveLength(1);
    expect((await api.json('PUT', path('nobody', viewer))).body).toMatchObject({
      status: 404,
      code: 'highlight-not-found',
    });
    expect(await collect(api.services.store.list('highlights/nobody/'))).toEqual([]);
    const long = await api.json('PUT', path(String(ids[0]), 'v'.repeat(129)));
    expect(long.body).toMatchObject({ status: 400, field: 'viewer' });
  });
});

describe('DELETE /v1/highlights/:id', () => {
  it('leaves nothing of it, and finds what a deletion cut short has left', async () => {
    const { store, favourites, shares, redis } = api.services;
    const id = await addMoment('a', 1000, {
      participants: [`kim-${word}`],
      requestedBy: `Lee-${word}`,
    });
    await store.put(`highlights/${id}/clip.mp4`, Buffer.from('an mp4'));
    await favourites.add({ highlightId: id, viewerId: `v-${word}`, createdAtMs: 1 });
    const share = await api.json('POST', '/v1/shares', { highlightId: id });
    expect((await api.json('DELETE', `/v1/highlights/${id}`)).status).toBe(204);
    expect(await collect(store.list(`highlights/${id}/`))).toEqual([]);
    expect(await shares.isLive(String(share.body.id))).toBe(false);
    for (const key of await redis.client.keys(`*${word}*`)) {
      // Of the recording itself, which is still there.
      expect(key).not.toContain(id);
      expect(key).not.toMatch(/highlights:|viewer:/);
    }
    expect((await api.json('DELETE', `/v1/highlights/${id}`)).status).toBe(404);
    await store.put(`highlights/${id}/poster.jpg`, Buffer.from('left'));
    expect((await api.json('DELETE', `/v1/highlights/${id}`)).status).toBe(204);
    expect(await collect(store.list(`highlights/${id}/`))).toEqual([]);
  });
});
