import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EntryCache } from '../../../src/api/entry-cache.ts';
import { PlaylistCache } from '../../../src/api/playlist-cache.ts';
import { systemClock } from '../../../src/clock.ts';
import { boundaryAtOrBefore, SEGMENT_MS } from '../../../src/model/grid.ts';
import type { Highlight } from '../../../src/model/highlight.ts';
import type { Recording } from '../../../src/model/recording.ts';
import type { SegmentEntry } from '../../../src/model/segment.ts';
import { Resources, type Closable } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import { startEmbeddedRedis } from '../../../src/queue/embedded-redis.ts';
import { openServices, type Services } from '../../../src/queue/open-services.ts';
import { QUEUE_PREFIX } from '../../../src/queue/work-queue.ts';
import { findGeneration, isRebuilding } from '../../../src/storage/rebuild/generation.ts';
import { parseJournal } from '../../../src/storage/index/journal.ts';
import { JOURNAL_SEGMENTS } from '../../../src/storage/index/journal-plan.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { readStoredIndex } from '../../../src/storage/rebuild/rebuild-index.ts';
import { OVERDUE_MS } from '../../../src/storage/index/segment-index.ts';
import type { Share } from '../../../src/storage/records/share-repository.ts';
import { collect } from '../../support/collect.ts';
import { histories, HistoryPlayer } from '../../support/recording-history.ts';
import { sampleEntry, sampleHighlight, sampleRecording } from '../../support/sample-records.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { openTestServices, type TestServices } from '../../support/test-services.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** The bound for what is open. */
const REBUILT_MS = 10_000;
/** Nothing is overdue: the recording began just now. */
const originMs = boundaryAtOrBefore(Date.now());

let services: TestServices;
/** A second process: both find Redis emptied. */
let other: Services & Closable;
beforeAll(async () => {
  services = await openTestServices();
  const { dataDir, redisUrl } = services;
  const config = { dataDir, redisUrl, storageUrl: undefined };
  other = await openServices(config, createLog('test', 'silent'));
});
afterAll(async () => {
  await other.close();
  await services.close();
});

async function untilComplete(): Promise<void> {
  await waitUntil(
    'all is back that is over',
    async () => (await findGeneration(services.redis.client))?.isComplete,
    REBUILT_MS,
  );
}

/** As the publisher does: tried again for as long as it takes. */
async function untilTaken<T>(work: () => Promise<T>): Promise<T> {
  return waitUntil(
    'the work to be taken',
    () =>
      work().catch((error: unknown) => {
        if (!isRebuilding(error)) throw error;
        return undefined;
      }),
    REBUILT_MS,
  );
}

let count = 0;
async function addRecording(change: Partial<Recording> = {}): Promise<Recording> {
  const id = `rebuilt-${String(count++).padStart(4, '0')}`;
  const recording = sampleRecording({ id, state: 'recording', originMs, ...change });
  await services.recordings.create(recording);
  return recording;
}

/** Empties Redis, and waits until what is open is back. */
async function loseRedis(): Promise<void> {
  await services.redis.client.flushall();
  await expect(services.recordings.find('anything')).rejects.toMatchObject({ code: 'rebuilding' });
  await waitUntil(
    'Redis is whole again',
    async () => (await findGeneration(services.redis.client)) !== undefined,
    REBUILT_MS,
  );
}

/** What the api shows of a recording. */
class Viewer {
  readonly #entries = new EntryCache(services.segments);
  readonly #playlists = new PlaylistCache({
    entries: this.#entries,
    index: services.segments,
    clock: systemClock,
  });

  async see(recording: Recording, extent: 'whole' | 'window'): Promise<string> {
    const playlist = await this.#playlists.findServed(recording);
    const pieces = playlist?.write({ extent, isDelta: false, ended: false }).pieces ?? [];
    return Buffer.concat(pieces).toString();
  }

  async seeFinal(recording: Recording): Promise<string> {
    const playlist = await this.#playlists.findFinal(recording);
    const form = { extent: 'whole', isDelta: false, ended: true } as const;
    return Buffer.concat(playlist?.write(form).pieces ?? []).toString();
  }
}

const made = (entries: readonly SegmentEntry[]): unknown[] =>
  // When it was published is known from the object: near enough, and in no playlist.
  entries.map(({ publishedAtMs: _, ...entry }) => entry);

const numbersOf = (entries: readonly SegmentEntry[]): number[] => entries.map(({ n }) => n);

describe('after FLUSHALL', () => {
  it('every history of a recording is served as it was: same places, same holes, same names', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const recording = await addRecording();
        const { id } = recording;
        const { segments } = services;
        const player = new HistoryPlayer({
          services,
          recordingId: id,
          // As if the last number had just become overdue.
          settle: (last) =>
            segments.settle(id, {
              originMs: Math.round(Date.now() - OVERDUE_MS - (last + 1) * SEGMENT_MS),
            }),
        });
        for (const step of steps) await player.play(step);
        const warm = new Viewer();
        const before = {
          inOrder: await segments.read(id),
          aside: await segments.readAside(id),
          whole: await warm.see(recording, 'whole'),
          window: await warm.see(recording, 'window'),
          all: await segments.readAll(id),
        };

        await loseRedis();

        const after = await segments.read(id);
        expect(made(after.slice(0, before.inOrder.length))).toEqual(made(before.inOrder));
        const cold = new Viewer();
        const [whole, again] = [
          await cold.see(recording, 'whole'),
          await warm.see(recording, 'whole'),
        ];
        // What was killed between storing and listing is found, and may only be added.
        expect(whole.startsWith(before.whole)).toBe(true);
        expect(again).toBe(whole);
        expect(await warm.see(recording, 'window')).toBe(await cold.see(recording, 'window'));
        const numbers = new Set((await segments.readAll(id)).map(({ n }) => n));
        expect(before.all.filter(({ n }) => !numbers.has(n))).toEqual([]);
        // It goes on.
        const next = await player.publish(player.next + 9, 0);
        expect(next).toMatchObject({ appended: true });
        await services.recordings.update(id, (r) => ({ ...r, state: 'completed' }));
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  it('records, highlights, shares and favourites are back, with their states and lists', async () => {
    const { recordings, highlights, shares, favourites } = services;
    const running = await addRecording({ externalId: 'class-7b', metadata: { room: 3 } });
    const over = await addRecording();
    await recordings.update(over.id, (r) => ({ ...r, state: 'completed' }));
    const open = sampleHighlight({ id: 'open-one', recordingId: running.id, tags: ['proof'] });
    const done = sampleHighlight({ id: 'done-one', recordingId: over.id, triggerId: 'other' });
    for (const highlight of [open, done]) await highlights.create(highlight);
    await highlights.update('done-one', (h) => ({ ...h, state: 'completed' }));
    const share: Share = {
      id: 'share-one',
      kind: 'recording',
      targetId: running.id,
      rights: ['play'],
      viewerId: 'pupil-1',
      createdAtMs: 1,
      expiresAtMs: Date.now() + 60_000,
    };
    await shares.create(share);
    await shares.create({ ...share, id: 'share-two', kind: 'highlight', targetId: 'done-one' });
    await favourites.add({ highlightId: 'open-one', viewerId: 'pupil-1', createdAtMs: 5 });
    const see = async (): Promise<object> => ({
      running: await recordings.get(running.id),
      over: await recordings.get(over.id),
      byState: (await recordings.list({ state: 'recording', limit: 50 })).recordings,
      byExternalId: (await recordings.list({ externalId: 'class-7b', limit: 5 })).recordings,
      counts: await recordings.countByState(),
      ofRunning: await highlights.listByRecording(running.id),
      ofOver: await highlights.listByRecording(over.id),
      tagged: (await highlights.list({ tag: 'proof', limit: 5 })).highlights,
      shares: await shares.list(share),
      live: [await shares.isLive('share-one'), await shares.isLive('share-two')],
      favourites: await favourites.findOf('pupil-1', ['open-one', 'done-one']),
    });
    const before = await see();

    await loseRedis();
    await untilComplete();

    expect(await see()).toEqual(before);
    expect(await shares.isLive('never-made')).toBe(false);
    // The same trigger heard again is the same highlight.
    const again = await highlights.create({ ...open, id: 'open-two' });
    expect(again).toMatchObject({ created: false, highlight: { id: 'open-one' } });
    await highlights.update('open-one', (h) => ({ ...h, state: 'failed' }));
    await recordings.update(running.id, (r) => ({ ...r, state: 'completed' }));
  });

  it('highlights are back from wherever their records are: the mark alone, their own, as it was stored before', async () => {
    const { highlights, store } = services;
    const { id: recordingId } = await addRecording();
    const make = async (id: string): Promise<Highlight> => {
      const wish = sampleHighlight({ id, recordingId, triggerId: id });
      return (await highlights.create(wish)).highlight;
    };
    const created = await make('as-created');
    await make('as-changed');
    const changed = await highlights.update('as-changed', (h) => ({ ...h, title: 'changed' }));
    await make('as-ended');
    const ended = await highlights.update('as-ended', (h) => ({ ...h, state: 'failed' }));
    // As earlier versions have it: an empty mark, its own record, its name in the recording's folder.
    const former = { ...created, id: 'as-before', triggerId: 'as-before' };
    const formerEnded = { ...ended, id: 'as-ended-before', triggerId: 'as-ended-before' };
    for (const highlight of [former, formerEnded]) {
      const { id } = highlight;
      await store.put(objectKeys.highlight(id), Buffer.from(JSON.stringify(highlight)));
      await store.put(`${objectKeys.formerHighlightsOf(recordingId)}${id}`, Buffer.alloc(0));
    }
    await store.put(objectKeys.openHighlight('as-before'), Buffer.alloc(0));
    // Killed before its record was stored, as earlier versions did it.
    await store.put(objectKeys.openHighlight('half-made'), Buffer.alloc(0));

    await loseRedis();

    // What is over comes with its recording, which is open.
    const all = await highlights.listByRecording(recordingId);
    expect(new Map(all.map((h) => [h.id, h]))).toEqual(
      new Map([created, changed, ended, former, formerEnded].map((h) => [h.id, h])),
    );
    expect(await highlights.listPending(Date.now())).toEqual(
      expect.arrayContaining(['as-created', 'as-changed', 'as-before']),
    );
    await untilComplete();
    const marks = await collect(store.list(objectKeys.openHighlights));
    expect(marks.map(({ key }) => key)).not.toContain(objectKeys.openHighlight('half-made'));
    for (const { id } of all) await highlights.delete(id);
    await services.recordings.update(recordingId, (r) => ({ ...r, state: 'completed' }));
  });

  it('a highlight that is being created then exists once, and none comes back that was deleted', async () => {
    const { highlights, redis } = services;
    const { id: recordingId } = await addRecording();
    const wish = (id: string): Highlight => sampleHighlight({ id, recordingId, triggerId: id });
    await highlights.create(wish('deleted-open'));
    await highlights.delete('deleted-open');
    await redis.client.flushall();
    const made = await highlights.create(wish('made-meanwhile'));
    expect(made).toMatchObject({ created: true, highlight: { id: 'made-meanwhile' } });
    await loseRedis();
    const all = await highlights.listByRecording(recordingId);
    expect(all.map(({ id }) => id)).toEqual(['made-meanwhile']);
    await highlights.delete('made-meanwhile');
    await services.recordings.update(recordingId, (r) => ({ ...r, state: 'completed' }));
  });

  it('what is over can be had before it is all back', async () => {
    const over = await addRecording();
    await services.segments.append(over.id, sampleEntry(0));
    await services.recordings.update(over.id, (r) => ({ ...r, state: 'completed' }));
    const { client } = services.redis;
    await loseRedis();
    await untilComplete();
    // As it is while the background is at work.
    await services.recordings.delete(over.id).catch(() => undefined);
    await services.store.put(objectKeys.recording(over.id), Buffer.from(JSON.stringify(over)));
    expect(await services.recordings.find(over.id)).toBeUndefined();
    await client.hset('chalkreel:generation', 'phase', 'open', 'doneTo', '');
    expect(await services.recordings.find(over.id)).toEqual(over);
    expect(await services.segments.count(over.id)).toBe(1);
    await services.recordings.delete(over.id);
    await untilComplete();
  });

  it('asks again for what was queued or running, and for clips, and for nothing that is over', async () => {
    const queued = await addRecording({ state: 'queued', originMs: null });
    const over = await addRecording();
    await services.recordings.update(over.id, (r) => ({ ...r, state: 'failed' }));
    const open = sampleHighlight({ id: 'asked', recordingId: queued.id, triggerId: 'asked' });
    await services.highlights.create(open);
    await loseRedis();
    await untilComplete();
    const jobs = async (queue: string): Promise<string[]> => {
      const keys = await services.redis.client.keys(`${QUEUE_PREFIX}:${queue}:*`);
      return keys.map((key) => key.slice(key.lastIndexOf(':') + 1));
    };
    expect(await jobs('recordings')).toContain(queued.id);
    expect(await jobs('recordings')).not.toContain(over.id);
    expect(await jobs('highlights')).toContain('asked');
    await services.highlights.update('asked', (h) => ({ ...h, state: 'failed' }));
    await services.recordings.update(queued.id, (r) => ({ ...r, state: 'failed' }));
  });

  it('a recorder that goes on meanwhile loses no segment and gives none two places', async () => {
    const recording = await addRecording();
    const { id } = recording;
    const player = new HistoryPlayer({
      services,
      recordingId: id,
      settle: () => Promise.resolve(),
    });
    const viewer = new Viewer();
    const seen: string[] = [];
    const publishAll = async (): Promise<void> => {
      for (let n = 0; n < 60; n += 1) {
        await untilTaken(() => player.publish(n, 0));
        const text = await viewer.see(recording, 'whole').catch(() => '');
        if (text !== '') seen.push(text);
      }
    };
    const emptyTwice = async (): Promise<void> => {
      for (const after of [15, 35]) {
        await waitUntil('segments to be there', () => seen.length >= after, REBUILT_MS);
        await services.redis.client.flushall();
      }
    };
    await Promise.all([publishAll(), emptyTwice()]);
    expect((await services.segments.read(id)).map(({ n }) => n)).toEqual(
      Array.from({ length: 60 }, (_, n) => n),
    );
    const last = await viewer.see(recording, 'whole');
    expect(await new Viewer().see(recording, 'whole')).toBe(last);
    expect(seen.filter((text) => !last.startsWith(text))).toEqual([]);
    await services.recordings.update(id, (r) => ({ ...r, state: 'completed' }));
  });

  it('journals are the same, whoever writes them, at once', async () => {
    const { id } = await addRecording();
    const both = [services, other].map(
      (process, lane) =>
        new HistoryPlayer({
          services: process,
          recordingId: id,
          settle: () => Promise.resolve(lane),
        }),
    );
    // Two lanes, each some numbers ahead of the other by turns: owners change often.
    const numbers = Array.from({ length: 2 * JOURNAL_SEGMENTS }, (_, n) => n);
    // The first lane has the first turn: whoever is listed first begins the order.
    const [beginner] = both;
    await beginner?.publish(0, 0);
    await Promise.all(
      both.map(async (player, lane) => {
        const own = numbers.slice(1).filter((n) => Math.floor(n / 3) % 2 === lane);
        for (const n of own) await player.publish(n, lane);
      }),
    );
    const inOrder = await services.segments.read(id);
    expect(inOrder.map(({ n }) => n)).toEqual(numbers);
    const stored = await readStoredIndex(services.store, id, { everything: true });
    expect(made(stored.entries)).toEqual(made(inOrder));
    expect(stored.orphans).toEqual([]);
    await services.recordings.update(id, (r) => ({ ...r, state: 'completed' }));
    // At the end one says it all.
    const sealed = await collect(services.store.list(objectKeys.journals(id)));
    const whole = parseJournal(await services.store.read(sealed.at(-1)?.key ?? ''), 'whole');
    expect(whole).toMatchObject({ from: 0, last: numbers.length - 1 });
    expect(made(whole.entries)).toEqual(made(inOrder));
  });

  it('what comes when another lane has begun behind it is late, in the journals, and in the whole', async () => {
    const { id } = await addRecording();
    const { segments, store } = services;
    const settle = (): Promise<void> => Promise.resolve();
    const player = new HistoryPlayer({ services, recordingId: id, settle });
    for (const n of [3, 4, 5]) await player.publish(n, 1);
    for (const n of [0, 1, 2]) {
      expect(await player.publish(n, 0)).toEqual({ appended: true, late: true });
    }
    const see = async (): Promise<object> => ({
      inOrder: made(await segments.read(id)),
      late: made(await segments.readAside(id)),
      all: made(await segments.readAll(id)),
    });
    const before = await see();
    expect(numbersOf(await segments.read(id))).toEqual([3, 4, 5]);
    expect(numbersOf(await segments.readAll(id))).toEqual([0, 1, 2, 3, 4, 5]);

    await loseRedis();

    expect(await see()).toEqual(before);
    await services.recordings.update(id, (r) => ({ ...r, state: 'completed' }));
    const sealed = await collect(store.list(objectKeys.journals(id)));
    const whole = parseJournal(await store.read(sealed.at(-1)?.key ?? ''), 'whole');
    expect(numbersOf(whole.entries)).toEqual([3, 4, 5]);
    expect(numbersOf(whole.aside)).toEqual([0, 1, 2]);
  });

  it('a recording that is being created then exists once, and nothing is left of one that failed', async () => {
    const recording = sampleRecording({ id: 'created-meanwhile' });
    await services.redis.client.flushall();
    await services.recordings.create(recording);
    expect(await services.recordings.get(recording.id)).toEqual(recording);
    expect(await services.store.find(objectKeys.openRecording(recording.id))).toBeDefined();
    const again = services.recordings.create(recording);
    await expect(again).rejects.toMatchObject({ code: 'recording-exists' });
    await services.recordings.delete(recording.id);
    expect(await services.store.find(objectKeys.openRecording(recording.id))).toBeUndefined();
    await loseRedis();
    expect(await services.recordings.find(recording.id)).toBeUndefined();
  });

  it('epochs begin above all that were, used or not', async () => {
    const { id } = await addRecording();
    const player = new HistoryPlayer({
      services,
      recordingId: id,
      settle: () => Promise.resolve(),
    });
    await player.publish(0, 0);
    const unused = await services.segments.openEpoch(id, 0);
    await loseRedis();
    expect(await services.segments.openEpoch(id, 0)).toBeGreaterThan(unused);
    // And the one under which somebody records is still good.
    expect(await player.publish(1, 0)).toEqual({ appended: true });
    await services.recordings.update(id, (r) => ({ ...r, state: 'completed' }));
  });
});

it('is rebuilt by another when who was at it has died', async () => {
  const { id } = await addRecording();
  const { client } = services.redis;
  const diedMs = 1500;
  await client.multi().flushall().set('chalkreel:rebuild:lock', 'of the dead', 'PX', diedMs).exec();
  expect(await untilTaken(() => services.recordings.get(id))).toMatchObject({ id });
  // A record may be read a moment before all that is open is back, and changed.
  await untilTaken(() => services.recordings.update(id, (r) => ({ ...r, state: 'completed' })));
});

describe('while Redis is empty', () => {
  it('nothing is decided, and nobody is told that something is not there', async () => {
    const resources = new Resources();
    try {
      const log = createLog('test', 'silent');
      const { path: dataDir } = resources.use(await makeTempFolder('empty'));
      const redis = resources.use(await startEmbeddedRedis({ dataDir, log }));
      const config = { dataDir, redisUrl: redis.url, storageUrl: undefined };
      const empty = resources.use(await openServices(config, log, { isObserver: true }));
      const { recordings, segments, highlights, shares } = empty;
      const asked = [
        () => recordings.get('r'),
        () => recordings.list({ limit: 1 }),
        () => recordings.update('r', (r) => ({ ...r })),
        () => segments.append('r', sampleEntry(0)),
        () => segments.settle('r', { originMs }),
        () => segments.openEpoch('r', 0),
        () => highlights.listByRecording('r'),
        () => shares.isLive('s'),
      ];
      for (const ask of asked) {
        await expect(ask()).rejects.toMatchObject({ code: 'rebuilding', retryable: true });
      }
      const keys = await empty.redis.client.keys('*');
      expect(keys.filter((key) => !key.startsWith(QUEUE_PREFIX))).toEqual([]);
    } finally {
      await resources.close();
    }
  });
});
