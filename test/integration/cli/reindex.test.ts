import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Reindex } from '../../../src/storage/rebuild/reindex.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { redisKeys } from '../../../src/storage/redis-keys.ts';
import { startCommand } from '../../support/command.ts';
import { HistoryPlayer } from '../../support/recording-history.ts';
import {
  SAMPLE_ORIGIN_MS,
  sampleHighlight,
  sampleRecording,
} from '../../support/sample-records.ts';
import { openTestServices, type TestServices } from '../../support/test-services.ts';

let services: TestServices;
/** Four starts of the command, seconds each on a busy machine. */
const TEST_MS = 60_000;

beforeAll(async () => {
  services = await openTestServices();
});
afterAll(() => services.close());

/** A recording with segments 0 to 3, of which 2 is missing. */
async function addRecording(id: string): Promise<void> {
  const recording = sampleRecording({ id, state: 'recording', originMs: SAMPLE_ORIGIN_MS });
  await services.recordings.create(recording);
  const player = new HistoryPlayer({ services, recordingId: id, settle: () => Promise.resolve() });
  for (const n of [0, 1, 3]) await player.publish(n, 0);
  await services.segments.settle(id, { originMs: Date.now(), isOver: true });
  await services.recordings.update(id, (r) => ({ ...r, state: 'completed' }));
}

type Answer = { readonly code: number | null; readonly stdout: string; readonly result: Reindex };

async function reindex(...flags: string[]): Promise<Answer> {
  const { dataDir, redisUrl } = services;
  const env = { CHALKREEL_DATA_DIR: dataDir, CHALKREEL_REDIS_URL: redisUrl };
  const args = ['reindex', '--json', ...flags];
  const { code, stdout } = await startCommand(args, { marker: dataDir, env }).finished;
  return { code, stdout, result: JSON.parse(stdout) as Reindex };
}

it(
  'tells what differs, brings back what Redis has lost, and leaves orphans where they are',
  { timeout: TEST_MS },
  async () => {
    const { store, recordings, segments, highlights, redis } = services;
    for (const id of ['kept', 'lost']) await addRecording(id);
    for (const id of ['lost-clip', 'lost-ended']) {
      await highlights.create(sampleHighlight({ id, recordingId: 'lost', triggerId: id }));
    }
    await highlights.update('lost-ended', (h) => ({ ...h, state: 'failed' }));
    const before = { lost: await recordings.get('lost'), entries: await segments.readAll('lost') };
    const segment = await store.read(before.entries[0]?.place.object ?? '');
    const orphans = {
      'lost-race': objectKeys.segment('kept', { n: 1, lane: 1, epoch: 1 }),
      'half-written': objectKeys.segment('kept', { n: 9, lane: 1, epoch: 2 }),
      'unknown-name': `${objectKeys.segments('kept')}note.txt`,
    };
    await store.put(orphans['lost-race'], segment);
    await store.put(orphans['half-written'], segment.subarray(0, 100));
    await store.put(orphans['unknown-name'], Buffer.from('?'));
    // Stored by a worker that died before it could list it: it fills the hole.
    await store.put(objectKeys.segment('kept', { n: 2, lane: 0, epoch: 1 }), segment);
    const forget = [
      ...[redisKeys.recording('lost'), redisKeys.segments('lost'), redisKeys.segmentsHead('lost')],
      ...['lost-clip', 'lost-ended'].map(redisKeys.highlight),
    ];
    await redis.client.del(...forget);

    const look = await reindex('--dry-run');
    expect(look.code).toBe(0);
    expect(look.result).toMatchObject({ recordings: 2, highlights: 2 });
    const [kept, lost] = look.result.findings;
    expect(kept).toMatchObject({
      recordingId: 'kept',
      state: 'differs',
      differences: ['Redis does not list number 2.'],
      missingInStore: 0,
      isRepaired: false,
    });
    const found = kept?.orphans.map(({ object, why }) => [why, object]) ?? [];
    expect(Object.fromEntries(found)).toEqual(orphans);
    expect(lost).toMatchObject({ recordingId: 'lost', state: 'absent', missingInRedis: 3 });
    expect(await redis.client.exists(...forget)).toBe(0);

    const mended = await reindex();
    expect(mended.code).toBe(0);
    expect(mended.result.findings.map(({ isRepaired }) => isRepaired)).toEqual([true, true]);
    expect(await recordings.get('lost')).toEqual(before.lost);
    expect(await segments.readAll('lost')).toEqual(before.entries);
    expect(await highlights.get('lost-clip')).toMatchObject({ recordingId: 'lost' });
    expect(await highlights.get('lost-ended')).toMatchObject({ state: 'failed' });
    // What was served stays as it was; the final playlist has it.
    expect((await segments.read('kept')).map(({ n }) => n)).toEqual([0, 1, 3]);
    expect((await segments.readAll('kept')).map(({ n }) => n)).toEqual([0, 1, 2, 3]);
    const playlist = (await store.read(objectKeys.playlist('kept'))).toString();
    expect(playlist.match(/segments\/.*(?=\n)/g)).toHaveLength(4);
    expect(playlist).not.toContain('#EXT-X-GAP');
    for (const object of Object.values(orphans)) expect(await store.find(object)).toBeDefined();
  },
);

it(
  'fails when media of the index is gone, and looks at one recording alone',
  { timeout: TEST_MS },
  async () => {
    await addRecording('broken');
    for (const recordingId of ['broken', 'kept']) {
      const wish = { id: `of-${recordingId}`, triggerId: recordingId, recordingId };
      await services.highlights.create(sampleHighlight(wish));
      await services.redis.client.del(redisKeys.highlight(wish.id));
    }
    const [entry] = await services.segments.read('broken');
    await rm(path.join(services.dataDir, 'storage', entry?.place.object ?? ''));
    const { code, result } = await reindex('--recording', 'broken');
    expect(code).toBe(1);
    expect(result).toMatchObject({ recordings: 1, highlights: 1 });
    expect(await services.highlights.find('of-broken')).toBeDefined();
    expect(await services.highlights.find('of-kept')).toBeUndefined();
    expect(result.findings).toMatchObject([{ recordingId: 'broken', missingInStore: 1 }]);
  },
);
