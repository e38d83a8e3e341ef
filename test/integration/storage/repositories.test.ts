import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_PROGRESS } from '../../../src/model/progress.ts';
import type { Recording, RecordingState } from '../../../src/model/recording.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { RedisHighlightRepository } from '../../../src/storage/records/redis-highlight-repository.ts';
import { findStoredHighlight } from '../../../src/storage/records/stored-highlight.ts';
import { redisKeys } from '../../../src/storage/redis-keys.ts';
import { collect } from '../../support/collect.ts';
import { stepwiseStore } from '../../support/interleaving.ts';
import { sampleHighlight, sampleRecording } from '../../support/sample-records.ts';
import { openTestServices, type TestServices } from '../../support/test-services.ts';
import { waitUntil } from '../../support/wait-until.ts';

let services: TestServices;
beforeAll(async () => {
  services = await openTestServices();
});
afterAll(() => services.close());

async function storedJson(key: string): Promise<unknown> {
  return JSON.parse((await services.store.read(key)).toString());
}

/** All that the store has of a highlight whose id begins so. */
async function keysNaming(id: string): Promise<string[]> {
  const objects = await collect(services.store.list(''));
  return objects.map(({ key }) => key).filter((key) => key.includes(`/${id}`));
}

describe('recordings', () => {
  it('are in the store when create resolves, and cannot be created twice', async () => {
    const recording = sampleRecording({ id: 'create' });
    await services.recordings.create(recording);
    expect(await storedJson(objectKeys.recording('create'))).toEqual(recording);
    expect(await services.recordings.get('create')).toEqual(recording);
    await expect(services.recordings.create(recording)).rejects.toMatchObject({
      code: 'recording-exists',
    });
  });

  it('are said to be missing', async () => {
    expect(await services.recordings.find('nobody')).toBeUndefined();
    await expect(services.recordings.get('nobody')).rejects.toMatchObject({
      code: 'recording-not-found',
    });
    await expect(services.recordings.update('nobody', (r) => ({ ...r }))).rejects.toMatchObject({
      code: 'recording-not-found',
    });
  });

  it('lose no change when many are made at once, and the store has the last', async () => {
    await services.recordings.create(sampleRecording({ id: 'counted' }));
    const add = (i: number) => (recording: Recording) => ({
      ...recording,
      warnings: [...recording.warnings, `warning ${i}`],
    });
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => services.recordings.update('counted', add(i))),
    );
    const recording = await services.recordings.get('counted');
    expect(new Set(recording.warnings).size).toBe(20);
    expect(await storedJson(objectKeys.recording('counted'))).toEqual(recording);
  });

  it('tell their subscribers the present and each later state, in order', async () => {
    await services.recordings.create(sampleRecording({ id: 'followed' }));
    const seen: RecordingState[] = [];
    const subscription = await services.recordings.subscribe('followed', ({ state }) => {
      seen.push(state);
    });
    expect(seen).toEqual(['queued']);
    for (const state of ['starting', 'recording'] as const) {
      await services.recordings.update('followed', (r) => ({ ...r, state }));
      // Well under the 1 s poll: this came by message.
      await waitUntil(`the subscriber hears ${state}`, () => seen.at(-1) === state, 700);
    }
    expect(seen).toEqual(['queued', 'starting', 'recording']);
    await subscription.close();
    await services.recordings.update('followed', (r) => ({ ...r, state: 'failed' }));
    const other: RecordingState[] = [];
    const second = await services.recordings.subscribe('followed', ({ state }) => {
      other.push(state);
    });
    expect(other).toEqual(['failed']);
    expect(seen).toEqual(['queued', 'starting', 'recording']);
    await second.close();
  });

  it('are polled, so that a lost message is only late', async () => {
    await services.recordings.create(sampleRecording({ id: 'polled' }));
    const seen: RecordingState[] = [];
    const subscription = await services.recordings.subscribe('polled', ({ state }) => {
      seen.push(state);
    });
    const failed = sampleRecording({ id: 'polled', state: 'failed' });
    // Written past the repository: no message is published.
    await services.redis.client.hset('chalkreel:recording:polled', {
      json: JSON.stringify(failed),
      version: '7',
    });
    await waitUntil('the poll finds the change', () => seen.at(-1) === 'failed', 4000);
    await subscription.close();
  });

  it('are listed newest first, page by page, by state and by the platform’s id', async () => {
    const before = sampleRecording().createdAtMs + 1_000_000;
    for (let i = 0; i < 7; i++) {
      await services.recordings.create(
        sampleRecording({
          id: `list-${i}`,
          // Pairs share a millisecond: the id decides.
          createdAtMs: before + Math.floor(i / 2),
          externalId: i < 3 ? 'class-a' : 'class-b',
        }),
      );
    }
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await services.recordings.list({ limit: 3, externalId: 'class-b', cursor });
      ids.push(...page.recordings.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(ids).toEqual(['list-6', 'list-5', 'list-4', 'list-3']);

    await services.recordings.update('list-4', (r) => ({ ...r, state: 'recording' }));
    const both = { state: 'recording', externalId: 'class-b', limit: 10 } as const;
    expect((await services.recordings.list(both)).recordings.map(({ id }) => id)).toEqual([
      'list-4',
    ]);
    const all = await services.recordings.list({ limit: 7 });
    expect(all.recordings.map(({ id }) => id)).toEqual(
      [6, 5, 4, 3, 2, 1, 0].map((i) => `list-${i}`),
    );
    const completed = await services.recordings.list({ state: 'completed', limit: 5 });
    expect(completed).toEqual({ recordings: [], nextCursor: null });
    await expect(services.recordings.list({ limit: 1, cursor: 'nonsense' })).rejects.toMatchObject({
      fault: 'input',
      details: { field: 'cursor' },
    });
  });

  it('keep their progress, and go with everything of theirs in Redis', async () => {
    await services.recordings.create(sampleRecording({ id: 'deleted' }));
    const progress = {
      ...NO_PROGRESS,
      atMs: 5,
      segments: 3,
      framesCaptured: 144,
      avOffsetMs: -1.5,
    };
    await services.recordings.setProgress('deleted', progress);
    expect(await services.recordings.findProgress('deleted')).toEqual(progress);
    await services.recordings.delete('deleted');
    await services.recordings.setProgress('deleted', progress);
    expect(await services.recordings.findProgress('deleted')).toBeUndefined();
    expect(await services.redis.client.keys('*:deleted*')).toEqual([]);
    expect(await services.store.find(objectKeys.recording('deleted'))).toBeUndefined();
  });

  it('are counted by state', async () => {
    const before = await services.recordings.countByState();
    await services.recordings.create(sampleRecording({ id: 'another' }));
    await services.recordings.update('another', (r) => ({ ...r, state: 'stopping' }));
    const after = await services.recordings.countByState();
    expect(after).toEqual({ ...before, stopping: before.stopping + 1 });
  });
});

describe('highlights', () => {
  beforeAll(async () => {
    for (const id of ['recording-1', 'recording-2', 'listed']) {
      await services.recordings.create(sampleRecording({ id }));
    }
  });

  it('are of a recording that is there, and is not being deleted', async () => {
    const { recordings, highlights } = services;
    await recordings.create(sampleRecording({ id: 'going', state: 'completed' }));
    await recordings.update('going', (recording) => ({ ...recording, deletedAtMs: 1 }));
    for (const recordingId of ['nobody', 'going']) {
      const late = highlights.create(sampleHighlight({ id: 'late', recordingId }));
      await expect(late).rejects.toMatchObject({ code: 'recording-not-found' });
    }
    expect(await highlights.find('late')).toBeUndefined();
    expect(await keysNaming('late')).toEqual([]);
  });

  it('are one for one trigger, however many heard it', async () => {
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        services.highlights.create(sampleHighlight({ id: `heard-${i}` })),
      ),
    );
    const created = results.filter((result) => result.created);
    expect(created).toHaveLength(1);
    const id = created[0]?.highlight.id ?? '';
    expect(results.every(({ highlight }) => highlight.id === id)).toBe(true);
    expect(await keysNaming('heard-')).toEqual([objectKeys.openHighlight(id)]);
    const other = await services.highlights.create(
      sampleHighlight({ id: 'elsewhere', recordingId: 'recording-2' }),
    );
    expect(other.created).toBe(true);
  });

  it('are one object as created, and have their own with the first change', async () => {
    const { highlights, store } = services;
    const created = sampleHighlight({ id: 'grows', recordingId: 'listed', triggerId: 'grows' });
    await highlights.create(created);
    const [mark, own] = [objectKeys.openHighlight('grows'), objectKeys.highlight('grows')];
    expect(await keysNaming('grows')).toEqual([mark]);
    expect(await storedJson(mark)).toEqual(created);
    const named = await highlights.update('grows', (h) => ({ ...h, title: 'Proof' }));
    expect(await storedJson(own)).toEqual(named);
    expect(await findStoredHighlight(store, 'grows')).toEqual(named);
    const ended = await highlights.update('grows', (h) => ({ ...h, state: 'failed' }));
    expect(await storedJson(own)).toEqual(ended);
    expect(await keysNaming('grows')).toEqual([objectKeys.highlightOf('listed', 'grows'), own]);
    await highlights.delete('grows');
    expect(await keysNaming('grows')).toEqual([]);
  });

  it('leave nothing behind when they are deleted while their clip is finished, at any step of that', async () => {
    const { highlights, redis, store } = services;
    const id = 'raced';
    for (let at = 0, isRaced = true; isRaced; at++) {
      await highlights.create(sampleHighlight({ id, recordingId: 'listed', triggerId: id }));
      if (at % 2 === 1) await highlights.update(id, (h) => ({ ...h, title: 'changed before' }));
      let steps = 0;
      const raced = stepwiseStore(store, async (work) => {
        if (steps++ === Math.floor(at / 2)) await highlights.delete(id);
        return work();
      });
      const worker = new RedisHighlightRepository({ redis: redis.client, store: raced });
      await worker
        .update(id, (h) => ({ ...h, state: 'completed' }))
        .catch((error: unknown) => expect(error).toMatchObject({ code: 'highlight-not-found' }));
      isRaced = (await highlights.find(id)) === undefined;
      if (isRaced) expect(await keysNaming(id)).toEqual([]);
      // At the least its name, its record and its mark are written one after the other.
      else expect(at).toBeGreaterThanOrEqual(6);
    }
    await highlights.delete(id);
    expect(await keysNaming(id)).toEqual([]);
  });

  it('are deleted for good by asking again, when a deletion was cut short', async () => {
    const { highlights, redis } = services;
    for (const state of ['open', 'failed'] as const) {
      const id = `cut-short-${state}`;
      await highlights.create(sampleHighlight({ id, recordingId: 'listed', triggerId: id }));
      if (state === 'failed') await highlights.update(id, (h) => ({ ...h, state }));
      await redis.client.del(redisKeys.highlight(id));
      expect(await keysNaming(id)).not.toEqual([]);
      await highlights.delete(id);
      expect(await keysNaming(id)).toEqual([]);
    }
  });

  it('are listed by recording in order, changed and deleted', async () => {
    for (const [i, id] of ['h-a', 'h-b'].entries()) {
      const change = { id, recordingId: 'listed', triggerId: id, triggeredAtMs: 2000 + i };
      await services.highlights.create(sampleHighlight(change));
    }
    await services.highlights.update('h-b', (h) => ({ ...h, state: 'assembling' }));
    expect(await storedJson(objectKeys.highlight('h-b'))).toMatchObject({ state: 'assembling' });
    const states = (await services.highlights.listByRecording('listed')).map((h) => h.state);
    expect(states).toEqual(['open', 'assembling']);
    await services.highlights.delete('h-a');
    expect(await services.highlights.find('h-a')).toBeUndefined();
    const again = sampleHighlight({ id: 'h-c', recordingId: 'listed', triggerId: 'h-a' });
    expect((await services.highlights.create(again)).created).toBe(true);
  });
});
