import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { segmentStartMs, SEGMENT_MS } from '../../../src/model/grid.ts';
import type { Highlight } from '../../../src/model/highlight.ts';
import type { Recording } from '../../../src/model/recording.ts';
import type { SegmentEntry } from '../../../src/model/segment.ts';
import {
  eraseRecording,
  type ErasedRecording,
} from '../../../src/storage/removal/erase-recording.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { redisKeys } from '../../../src/storage/redis-keys.ts';
import { removeHighlight } from '../../../src/storage/removal/remove-highlight.ts';
import { sweep } from '../../../src/storage/removal/retention.ts';
import type { SegmentIndex } from '../../../src/storage/index/segment-index.ts';
import { collect } from '../../support/collect.ts';
import {
  sampleEntry,
  sampleHighlight,
  sampleRecording,
  SAMPLE_ORIGIN_MS,
} from '../../support/sample-records.ts';
import { openTestServices, type TestServices } from '../../support/test-services.ts';

const SEGMENTS = 8;
const SEGMENT_BYTES = 10;
const NOW_MS = SAMPLE_ORIGIN_MS + 100_000;

let services: TestServices;
let id: string;
let count = 0;
beforeAll(async () => {
  services = await openTestServices();
});
afterAll(() => services.close());
beforeEach(() => {
  id = `lesson-${count++}`;
});

/** A recording that is over, with segments, playlist and report. */
async function addLesson(change: Partial<Recording> = {}): Promise<void> {
  const { recordings, segments, store } = services;
  await recordings.create(sampleRecording({ id, state: 'recording', originMs: SAMPLE_ORIGIN_MS }));
  for (let n = 0; n < SEGMENTS; n++) {
    const object = objectKeys.segment(id, { n, lane: 0, epoch: 1 });
    await store.putOnce(object, Buffer.alloc(SEGMENT_BYTES, n));
    const place = { object, offset: 0, length: SEGMENT_BYTES };
    await segments.append(id, sampleEntry(n, { place }));
  }
  await store.put(objectKeys.playlist(id), Buffer.from('#EXTM3U'));
  await store.put(objectKeys.report(id), Buffer.from('{}'));
  const end = { state: 'completed', atMs: SAMPLE_ORIGIN_MS + 20_000 } as const;
  await recordings.update(id, (recording) => ({
    ...recording,
    ...change,
    state: end.state,
    history: [...recording.history, end],
  }));
}

/** A highlight of the segments `first` to `last`. */
async function addClip(
  name: string,
  [first, last]: readonly [number, number],
  change: Partial<Highlight> = {},
): Promise<string> {
  const clipId = `${id}-${name}`;
  const startMs = segmentStartMs(first, SAMPLE_ORIGIN_MS) + 100;
  const endMs = segmentStartMs(last, SAMPLE_ORIGIN_MS) + SEGMENT_MS - 100;
  const span = { triggeredAtMs: startMs, beforeMs: 0, afterMs: endMs - startMs };
  const own = { id: clipId, recordingId: id, triggerId: clipId, window: { startMs, endMs } };
  await services.highlights.create(sampleHighlight({ ...own, ...span, ...change }));
  return clipId;
}

/** Its MP4 is made. */
async function complete(clipId: string): Promise<void> {
  const object = objectKeys.clipMp4(clipId);
  await services.store.putOnce(object, Buffer.from('an mp4'));
  const clip = { mp4: { object, length: 6, durationMs: 1000 }, poster: null };
  await services.highlights.update(clipId, (h) => ({ ...h, state: 'completed', clip }));
}

async function keysOf(prefix: string): Promise<string[]> {
  return (await collect(services.store.list(prefix))).map(({ key }) => key);
}

/** Numbers of the segments that are still there. */
async function segmentsLeft(): Promise<number[]> {
  const keys = await keysOf(objectKeys.segments(id));
  return keys.map((key) => Number(/(\d{6})-0-1\.ts$/.exec(key)?.[1]));
}

/** Keys in Redis that name the recording and none of its clips. */
async function redisKeysLeft(): Promise<string[]> {
  const keys = await services.redis.client.keys(`*${id}*`);
  return keys.filter((key) => !key.includes(`${id}-`)).sort();
}

function erase(clips: boolean, workFolder?: string): Promise<ErasedRecording> {
  return eraseRecording(id, services, { clips, nowMs: NOW_MS, workFolder });
}

describe('erasing a recording', () => {
  it('removes all that came from it, says what, and has nothing left to do when repeated', async () => {
    await addLesson({ retentionS: 1000 });
    const clipId = await addClip('done', [2, 3]);
    await complete(clipId);
    const { shares, favourites, store, dataDir } = services;
    const times = { createdAtMs: 1, expiresAtMs: NOW_MS * 2 };
    const share = { ...times, rights: ['play'], viewerId: null } as const;
    await shares.create({ ...share, id: `${id}-s1`, kind: 'recording', targetId: id });
    await shares.create({ ...share, id: `${id}-s2`, kind: 'highlight', targetId: clipId });
    await favourites.add({ highlightId: clipId, viewerId: `${id}-viewer`, createdAtMs: 1 });
    await store.put(`${objectKeys.archiveFolder(id)}720p.mp4`, Buffer.alloc(100));
    const workFolder = path.join(dataDir, 'work');
    await mkdir(path.join(workFolder, `${id}-0a1b2c3d`, 'spool'), { recursive: true });
    await writeFile(path.join(workFolder, `${id}-0a1b2c3d`, 'spool', '7.ts'), Buffer.alloc(1000));
    await mkdir(path.join(workFolder, `${id}2-other`), { recursive: true });

    const stored = [
      ...(await keysOf(`recordings/${id}/`)),
      ...(await keysOf(`highlights/${clipId}/`)),
    ];
    const erased = await erase(true, workFolder);
    expect(erased).toMatchObject({
      removed: {
        segments: SEGMENTS,
        clips: 1,
        shares: 2,
        favourites: 1,
        archiveObjects: 1,
        spools: 1,
      },
      pendingClips: [],
    });
    expect(erased.removed.bytes).toBeGreaterThan(SEGMENTS * SEGMENT_BYTES + 1100);
    // Shares and favourites are taken back one by one, before the folders they are in.
    expect(erased.removed.objects).toBeLessThanOrEqual(stored.length + 1);
    for (const prefix of ['recordings/', 'archive/', 'open/recordings/']) {
      expect(await keysOf(`${prefix}${id}`)).toEqual([]);
    }
    expect(await keysOf(`highlights/${clipId}`)).toEqual([]);
    expect(await keysOf(`open/highlights/${clipId}`)).toEqual([]);
    expect(await services.redis.client.keys(`*${id}*`)).toEqual([]);
    for (const set of ['recordings', 'recordings:expiring', 'recordings:deleting', 'highlights']) {
      const members = await services.redis.client.zrange(`chalkreel:${set}`, '0', '-1');
      expect(members.filter((member) => member.startsWith(id))).toEqual([]);
    }
    expect(await readdir(workFolder)).toEqual([`${id}2-other`]);

    const nothing = { segments: 0, clips: 0, shares: 0, favourites: 0, spools: 0, bytes: 0 };
    expect(await erase(true, workFolder)).toMatchObject({ removed: nothing, pendingClips: [] });
  });

  it('leaves clips whole, and to those that are being made what they need; and goes on when that is done', async () => {
    await addLesson();
    const done = await addClip('done', [0, 1]);
    await complete(done);
    const open = await addClip('open', [3, 4]);
    const failed = await addClip('failed', [6, 6], { state: 'failed' });
    const first = await erase(false);
    expect([...first.pendingClips].sort()).toEqual([failed, open].sort());
    // The last one before each window as well: its last sound frame leads in.
    expect(await segmentsLeft()).toEqual([2, 3, 4, 5, 6]);
    expect(await keysOf(objectKeys.playlist(id))).toEqual([]);
    expect(
      (await services.recordings.list({ limit: 100 })).recordings.map((r) => r.id),
    ).not.toContain(id);
    expect(await services.highlights.get(done)).toMatchObject({ playlistGoneAtMs: NOW_MS });
    expect((await services.highlights.get(open)).playlistGoneAtMs).toBeUndefined();

    const known = new Map<string, string>();
    for (let i = 0; i < 2; i++) {
      expect(await sweep(services, { nowMs: NOW_MS, known })).toMatchObject({
        waiting: 1,
        bytes: 0,
      });
    }
    await complete(open);
    const swept = await sweep(services, { nowMs: NOW_MS, known });
    expect(swept.waiting).toBe(1);
    expect(await segmentsLeft()).toEqual([5, 6]);
    expect((await services.highlights.get(open)).playlistGoneAtMs).toBe(NOW_MS);

    await removeHighlight(failed, services);
    const last = await sweep(services, { nowMs: NOW_MS, known });
    expect(last).toMatchObject({ removed: 1, waiting: 0 });
    expect(known.size).toBe(0);
    expect(await keysOf(`recordings/${id}/`)).toEqual([]);
    // Its clips are still found by it.
    expect(await redisKeysLeft()).toEqual([`chalkreel:recording:${id}:highlights`]);
    const clips = await services.highlights.listByRecording(id);
    expect(clips.map((clip) => clip.id)).toEqual([done, open]);
    for (const clip of clips) {
      expect((await services.store.read(String(clip.clip?.mp4.object))).toString()).toBe('an mp4');
    }
    // Erased again, now with its clips.
    expect((await erase(true)).removed).toMatchObject({ clips: 2, segments: 0 });
    expect(await services.redis.client.keys(`*${id}*`)).toEqual([]);
  });

  it('takes the index of a Redis that was emptied for none: nothing that is needed goes', async () => {
    await addLesson();
    await addClip('open', [3, 4]);
    const { client } = services.redis;
    const generation = String(await client.hget(redisKeys.generation, 'id'));
    const readAll = async (): Promise<readonly SegmentEntry[]> => {
      await client.hset(redisKeys.generation, 'id', 'another');
      return [];
    };
    const emptied = { ...services, segments: { readAll } as unknown as SegmentIndex };
    const work = eraseRecording(id, emptied, { clips: false, nowMs: NOW_MS });
    await expect(work).rejects.toMatchObject({ code: 'rebuilding' });
    await client.hset(redisKeys.generation, 'id', generation);
    expect(await segmentsLeft()).toHaveLength(SEGMENTS);
    await erase(false);
    expect(await segmentsLeft()).toEqual([2, 3, 4]);
  });

  it('waits until the recording is over', async () => {
    const running = sampleRecording({ id, state: 'recording', originMs: SAMPLE_ORIGIN_MS });
    await services.recordings.create(running);
    await expect(erase(true)).rejects.toMatchObject({ code: 'recording-not-final' });
    expect(await services.recordings.get(id)).toEqual(running);
  });

  it('keeps a packed object that holds a segment which is still needed', async () => {
    await addLesson();
    const { store, segments } = services;
    const object = `${objectKeys.segments(id)}packed-8.ts`;
    await store.put(object, Buffer.alloc(30));
    for (const n of [8, 9, 10]) {
      const place = { object, offset: 10 * (n - 8), length: 10 };
      await segments.append(id, sampleEntry(n, { place }));
    }
    await addClip('open', [10, 10]);
    await erase(false);
    expect(await keysOf(objectKeys.segments(id))).toEqual([object]);
  });

  it.each(['..', '../other', 'a/b', '', 'x'.repeat(65)])('refuses the id %j', async (bad) => {
    const work = eraseRecording(bad, services, { clips: true, nowMs: NOW_MS });
    await expect(work).rejects.toMatchObject({ fault: 'input' });
  });
});

describe('retention', () => {
  it('deletes a recording when its time after its end is over, and never one that is kept for ever', async () => {
    const kept = `${id}-kept`;
    await addLesson({ retentionS: 60 });
    await services.store.put(objectKeys.archiveManifest(id, 'avc-720p'), Buffer.from('{}'));
    await services.recordings.create(sampleRecording({ id: kept, state: 'completed' }));
    const endMs = SAMPLE_ORIGIN_MS + 20_000;
    expect(await sweep(services, { nowMs: endMs + 59_999 })).toMatchObject({ expired: 0 });
    expect(await segmentsLeft()).toHaveLength(SEGMENTS);
    const swept = await sweep(services, { nowMs: endMs + 60_000 });
    expect(swept).toMatchObject({ expired: 1, removed: 1 });
    expect(await services.recordings.find(id)).toBeUndefined();
    expect(await keysOf(`recordings/${id}/`)).toEqual([]);
    expect(await keysOf(objectKeys.archiveFolder(id))).toEqual([]);
    await sweep(services, { nowMs: Number.MAX_SAFE_INTEGER });
    expect(await services.recordings.find(kept)).toBeDefined();
  });

  it('does not count while the recording runs, and goes by its end', async () => {
    const { recordings } = services;
    await recordings.create(sampleRecording({ id, state: 'recording', retentionS: 1 }));
    await sweep(services, { nowMs: Number.MAX_SAFE_INTEGER });
    expect((await recordings.get(id)).deletedAtMs).toBeUndefined();
    const end = { state: 'failed', atMs: NOW_MS } as const;
    await recordings.update(id, (r) => ({ ...r, state: end.state, history: [...r.history, end] }));
    await sweep(services, { nowMs: NOW_MS + 1000 });
    expect(await recordings.find(id)).toBeUndefined();
  });
});
