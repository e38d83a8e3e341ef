import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { asChalkreelError } from '../../../src/errors.ts';
import { createLog } from '../../../src/log.ts';
import { SEGMENT_MS } from '../../../src/model/grid.ts';
import type { Highlight } from '../../../src/model/highlight.ts';
import type { SegmentEntry } from '../../../src/model/segment.ts';
import { createRequestHighlight } from '../../../src/queue/request-highlight.ts';
import { eraseRecording } from '../../../src/storage/removal/erase-recording.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { pinnedEntries } from '../../../src/storage/removal/pins.ts';
import { RedisFavouriteRepository } from '../../../src/storage/records/redis-favourite-repository.ts';
import { RedisHighlightRepository } from '../../../src/storage/records/redis-highlight-repository.ts';
import { redisKeys } from '../../../src/storage/redis-keys.ts';
import { RedisRecordingRepository } from '../../../src/storage/records/redis-recording-repository.ts';
import { RedisSegmentIndex } from '../../../src/storage/index/redis-segment-index.ts';
import { RedisShareRepository } from '../../../src/storage/records/redis-share-repository.ts';
import { removeHighlight } from '../../../src/storage/removal/remove-highlight.ts';
import { sweep } from '../../../src/storage/removal/retention.ts';
import type { ObjectStore } from '../../../src/storage/objects/object-store.ts';
import {
  interleave,
  randomFrom,
  stepwiseRedis,
  stepwiseStore,
  type Step,
} from '../../support/interleaving.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { sampleEntry, sampleRecording, SAMPLE_ORIGIN_MS } from '../../support/sample-records.ts';
import { openTestServices, type TestServices } from '../../support/test-services.ts';

const INTERLEAVINGS = 10_000;
/** Runs at a time: while one waits for Redis, others go on. */
const LANES = 64;
const SEGMENTS = 3;
const NOW_MS = SAMPLE_ORIGIN_MS + 1_000_000;
const log = createLog('test', 'silent');

let services: TestServices;
let redis: Redis;
beforeAll(async () => {
  services = await openTestServices();
  // Commands of many runs at once go in one write.
  redis = services.redis.client.duplicate({ enableAutoPipelining: true });
});
afterAll(async () => {
  redis.disconnect();
  await services.close();
});

it(
  `loses no segment that a clip needs and leaves none that no clip needs, in ${INTERLEAVINGS} interleavings`,
  { timeout: 300_000 },
  async () => {
    const totals = { refused: 0, pinned: 0, crashed: 0 };
    let seed = 0;
    const lane = async (): Promise<void> => {
      while (seed < INTERLEAVINGS) {
        const outcome = await runOnce(++seed);
        totals.refused += outcome.refused;
        totals.pinned += outcome.pinned;
        totals.crashed += outcome.crashed;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    // All of it came about, often: highlights refused since the deletion had begun, segments kept for clips, processes killed.
    for (const total of Object.values(totals)) expect(total).toBeGreaterThan(INTERLEAVINGS / 20);
    for (const kind of ['recording', 'highlight', 'share', 'viewer']) {
      expect(await redis.keys(`chalkreel:${kind}*`)).toEqual([]);
    }
  },
);

type Outcome = { readonly refused: number; readonly pinned: number; readonly crashed: number };

/** One recording that is deleted while highlights are made of it, processed and deleted. Throws with the seed when something is wrong. */
async function runOnce(seed: number): Promise<Outcome> {
  const world = await openWorld(seed);
  const { store, id } = world;
  try {
    const random = randomFrom(seed);
    const endings = await interleave(pickActors(world, random), { seed, mayCrash: seed % 2 === 0 });
    for (const ending of endings) if (typeof ending === 'object') throw ending.error;
    const crashed = endings.filter((ending) => ending === 'crashed').length;
    const pinned = await expectNothingLost(world);
    await expectNothingLeft(world, { isCrashed: crashed > 0 });
    return { refused: world.refused, pinned, crashed };
  } catch (error) {
    const { message } = asChalkreelError(error);
    const keys = store.keys().join('\n');
    throw new Error(`seed ${seed}, recording ${id}: ${message}\nin the store:\n${keys}`, {
      cause: error,
    });
  }
}

/** Always somebody who asks for a highlight and somebody who deletes; the others now and then. */
function pickActors(
  world: World,
  random: () => number,
): readonly ((step: Step) => Promise<void>)[] {
  const [byCall, doFail, at, otherAt] = [random() < 0.5, random() < 0.3, random(), random()];
  const others: readonly ((step: Step) => Promise<void>)[] = [
    (step) => requestHighlight(world, step, otherAt),
    (step) => makeClips(world, step, doFail),
    (step) => makeClips(world, step, false),
    (step) => deleteAHighlight(world, step),
    (step) => sweepUp(world, step),
  ];
  return [
    (step) => requestHighlight(world, step, at),
    (step) => (byCall ? eraseIt(world, step) : sweepUp(world, step)),
    ...others.filter(() => random() < 0.3),
  ];
}

type World = {
  readonly id: string;
  readonly store: MemoryStore;
  readonly entries: readonly SegmentEntry[];
  /** Highlights of which a client was told that they are made. */
  readonly promised: Set<string>;
  /** Highlights whose deletion was begun. */
  readonly deleted: Set<string>;
  refused: number;
};

/** A recording that is over. */
async function openWorld(seed: number): Promise<World> {
  const id = `r${seed}`;
  const store = new MemoryStore();
  const { recordings, segments } = repositories(id, redis, store);
  const entries = Array.from({ length: SEGMENTS }, (_, n) => {
    const object = objectKeys.segment(id, { n, lane: 0, epoch: 1 });
    return sampleEntry(n, { place: { object, offset: 0, length: 1 } });
  });
  for (const entry of entries) {
    await store.putOnce(entry.place.object, Buffer.from([entry.n]));
    await segments.append(id, entry);
  }
  const end = { state: 'completed', atMs: SAMPLE_ORIGIN_MS + 10_000 } as const;
  await recordings.create(
    sampleRecording({
      id,
      originMs: SAMPLE_ORIGIN_MS,
      leadInMs: 0,
      state: end.state,
      history: [end],
      retentionS: 1,
    }),
  );
  return { id, store, entries, promised: new Set(), deleted: new Set(), refused: 0 };
}

/** The lists of what is to be swept are shared by all runs: each looks only at its own. */
class RecordingsOfRun extends RedisRecordingRepository {
  readonly #id: string;

  constructor(id: string, options: ConstructorParameters<typeof RedisRecordingRepository>[0]) {
    super(options);
    this.#id = id;
  }

  override async listExpired(beforeMs: number, limit: number): Promise<readonly string[]> {
    return (await super.listExpired(beforeMs, limit)).filter((id) => id === this.#id);
  }

  override async listDeleting(): Promise<readonly string[]> {
    return (await super.listDeleting()).filter((id) => id === this.#id);
  }
}

function repositories(id: string, client: Redis, store: ObjectStore) {
  const openSubscriber = (): Redis => {
    throw new Error('nobody subscribes here');
  };
  const options = { redis: client, store, openSubscriber };
  return {
    recordings: new RecordingsOfRun(id, options),
    highlights: new RedisHighlightRepository(options),
    favourites: new RedisFavouriteRepository(options),
    shares: new RedisShareRepository(options),
    segments: new RedisSegmentIndex(options),
    redis: { client },
    store,
  };
}

/** The same as another process has them: each command is a step. */
function stepwise(world: World, step: Step): ReturnType<typeof repositories> {
  return repositories(world.id, stepwiseRedis(redis, step), stepwiseStore(world.store, step));
}

/** An api process that is asked to keep a moment. */
async function requestHighlight(world: World, step: Step, random: number): Promise<void> {
  const parts = stepwise(world, step);
  const newId = (): string => `h${world.id}-${Math.floor(random * 1e9)}`;
  const fleetNowMs = (): Promise<number> => Promise.resolve(NOW_MS);
  const request = createRequestHighlight({ ...parts, queue: NO_QUEUE, log, fleetNowMs, newId });
  const startMs = SAMPLE_ORIGIN_MS + Math.floor(random * SEGMENTS * SEGMENT_MS * 0.8);
  try {
    const { highlight } = await request(world.id, { startMs, endMs: startMs + 2000 }, 'api');
    world.promised.add(highlight.id);
  } catch (error) {
    const { code } = asChalkreelError(error);
    if (!['recording-not-found', 'nothing-recorded'].includes(code)) throw error;
    world.refused += 1;
  }
}

/** Who works through the queue is an actor here. */
const NO_QUEUE = {
  enqueueRecording: () => Promise.resolve(),
  enqueueHighlight: () => Promise.resolve(),
  postponeHighlight: () => Promise.resolve(),
  findLostHighlights: () => Promise.resolve([]),
  close: () => Promise.resolve(),
} as unknown as Parameters<typeof createRequestHighlight>[0]['queue'];

/** A highlight process: reads what its clips need, stores them, completes the records, or gives up. */
async function makeClips(world: World, step: Step, doFail: boolean): Promise<void> {
  const parts = stepwise(world, step);
  for (const highlight of await parts.highlights.listByRecording(world.id)) {
    if (highlight.state === 'open') await makeClip(highlight, { parts, doFail });
  }
}

async function makeClip(
  { id, recordingId, ...highlight }: Highlight,
  { parts, doFail }: { parts: ReturnType<typeof repositories>; doFail: boolean },
): Promise<void> {
  const { highlights, segments, store } = parts;
  const asked = { ...highlight, id, recordingId };
  try {
    const entries = await segments.readAll(recordingId);
    const needed = pinnedEntries(entries, SAMPLE_ORIGIN_MS, [asked]);
    if (needed.length === 0) throw new Error(`the index of ${id}'s recording is gone`);
    for (const { place } of needed) await store.read(place.object);
    if (doFail) {
      await highlights.update(id, (present) =>
        present.state === 'completed' ? present : { ...present, state: 'failed' },
      );
      return;
    }
    const object = objectKeys.clipMp4(id);
    await store.put(object, Buffer.from('an mp4'));
    const clip = { mp4: { object, length: 6, durationMs: 2000 }, poster: null };
    await highlights.update(id, (present) => ({ ...present, state: 'completed', clip }));
  } catch (error) {
    // Its highlight was deleted under way: it leaves nothing behind.
    if ((await highlights.find(id)) !== undefined) throw error;
    await store.delete(objectKeys.clipMp4(id));
  }
}

/** The platform's call. */
async function eraseIt(world: World, step: Step): Promise<void> {
  await eraseRecording(world.id, stepwise(world, step), { clips: false, nowMs: NOW_MS });
}

/** A sweeper: the recording's time is over. */
async function sweepUp(world: World, step: Step): Promise<void> {
  await sweepOne(stepwise(world, step));
}

async function sweepOne(parts: ReturnType<typeof repositories>): Promise<void> {
  await sweep(parts, { nowMs: NOW_MS });
}

async function deleteAHighlight(world: World, step: Step): Promise<void> {
  const parts = stepwise(world, step);
  const [highlight] = await parts.highlights.listByRecording(world.id);
  if (highlight === undefined) return;
  world.deleted.add(highlight.id);
  await removeHighlight(highlight.id, parts);
}

/** Every promised clip is there, with its own media or with all the segments that it needs. Resolves to the number of segments kept. */
async function expectNothingLost(world: World): Promise<number> {
  const { highlights, recordings, segments } = repositories(world.id, redis, world.store);
  const isDeleting = (await recordings.find(world.id))?.deletedAtMs !== undefined;
  let kept = 0;
  for (const id of world.promised) {
    const highlight = await highlights.find(id);
    if (world.deleted.has(id)) continue;
    if (highlight === undefined) throw new Error(`highlight ${id} was promised and is gone`);
    if (highlight.state === 'completed') continue;
    const entries = await segments.readAll(world.id);
    const needed = pinnedEntries(world.entries, SAMPLE_ORIGIN_MS, [highlight]);
    for (const { n, place } of needed) {
      if (world.store.keys(place.object).length === 0) throw new Error(`segment ${n} is lost`);
      if (!entries.some((entry) => entry.n === n)) throw new Error(`segment ${n} is not listed`);
    }
    if (isDeleting) kept += needed.length;
  }
  return kept;
}

/** When the clips are made, or deleted, and all is swept once more, nothing is left of a recording whose deletion had begun. */
async function expectNothingLeft(
  world: World,
  { isCrashed }: { readonly isCrashed: boolean },
): Promise<void> {
  const parts = repositories(world.id, redis, world.store);
  const { recordings, highlights } = parts;
  for (const id of world.deleted) await removeHighlight(id, parts);
  const recording = await recordings.find(world.id);
  if (recording !== undefined && recording.deletedAtMs === undefined) {
    const left = world.store.keys(objectKeys.segments(world.id)).length;
    if (left !== SEGMENTS) throw new Error(`${left} segments of a recording nobody deleted`);
  }
  for (const { id } of await highlights.listByRecording(world.id)) {
    await highlights.update(id, (present) => ({ ...present, state: 'completed' }));
  }
  if (recording !== undefined) await sweepOne(parts);
  const left = world.store.keys(objectKeys.recordingFolder(world.id));
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  for (const { id } of await highlights.listByRecording(world.id)) await removeHighlight(id, parts);
  // Who is killed between storing a highlight and entering it, or between ending it and finding it deleted, leaves that.
  const rest = world.store.keys();
  if (rest.length > 0 && !isCrashed) throw new Error(`left behind: ${rest.join(', ')}`);
  await redis.del(redisKeys.highlightsOfRecording(world.id));
}
