import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Log } from '../../log.ts';
import { forEachLimited } from '../../map-limited.ts';
import type { Highlight } from '../../model/highlight.ts';
import { isFinal, type Recording } from '../../model/recording.ts';
import { findGeneration } from './generation.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { redisKeys } from '../redis-keys.ts';
import { RedisScript } from '../redis-script.ts';
import type { Restorer } from './restorer.ts';

/** Who rebuilds and does not say so for this long has died; somebody else goes on. */
const LOCK_MS = 5_000;
const RENEW_MS = 1_000;
/** Open recordings read at once: the store's answers take longer than our work. */
const OPEN_AT_ONCE = 16;
/** In the background, so that it is hardly felt. */
const FINISHED_AT_ONCE = 4;
/** Finished recordings between two notes of how far we are. */
const PAGE = 100;

/** KEYS: lock. ARGV: token, ms. */
const RENEW = new RedisScript(
  `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`,
  { duringRebuild: true },
);
const RELEASE = new RedisScript(
  `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`,
  { duringRebuild: true },
);
/** KEYS: generation, lock. ARGV: token, field and value, …: written while the lock is ours; a generation that is there keeps its id and beginning. */
const NOTE = new RedisScript(
  `if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
for i = 2, #ARGV, 2 do
  local value = ARGV[i + 1] == 'now' and now or ARGV[i + 1]
  local isFirstOnly = ARGV[i] == 'id' or ARGV[i] == 'sinceMs'
  redis.call(isFirstOnly and 'HSETNX' or 'HSET', KEYS[1], ARGV[i], value)
end
return 1`,
  { duringRebuild: true },
);

export type RebuildOptions = {
  readonly redis: Redis;
  readonly store: ObjectStore;
  readonly restorer: Restorer;
  readonly log: Log;
  /** Asks for what was queued or running to be done; asking twice is once. */
  readonly enqueueRecording: (recording: Recording) => Promise<void>;
  readonly enqueueHighlight: (highlight: Highlight) => Promise<void>;
  readonly signal: AbortSignal;
};

type Open = {
  readonly recordings: readonly Recording[];
  readonly highlights: readonly Highlight[];
};

/**
 * Brings an emptied Redis back from the store: what is open first, then Redis is whole again for everybody, then the jobs, then, page by
 * page, what is over. Does nothing where that has been done. Resolves to false when somebody else is at it, or the lock was lost: to be
 * called again. May be interrupted anywhere.
 */
export async function rebuild(options: RebuildOptions): Promise<boolean> {
  const { redis, log } = options;
  if ((await findGeneration(redis))?.isComplete === true) return true;
  const token = randomUUID();
  if ((await redis.set(redisKeys.rebuildLock, token, 'PX', LOCK_MS, 'NX')) === null) return false;
  const lock = keepLock(redis, token);
  const signal = AbortSignal.any([options.signal, lock.lost]);
  try {
    const startedAt = performance.now();
    const isNew = (await findGeneration(redis)) === undefined;
    const open = await restoreOpen(options, token, signal);
    await note(redis, token, firstNotes(open));
    if (isNew) log.info({ event: 'redis-rebuilt', ...summary(open, startedAt) });
    for (const recording of open.recordings) await options.enqueueRecording(recording);
    for (const highlight of open.highlights) await options.enqueueHighlight(highlight);
    const finished = await restoreFinished(options, token, signal);
    await note(redis, token, { phase: 'complete' });
    if (finished > 0) log.info({ event: 'redis-complete', recordings: finished });
    return true;
  } catch (error) {
    if (!signal.aborted) throw error;
    return false;
  } finally {
    await lock.close();
  }
}

/** When somebody was recording, workers are given time to say so before anything is taken from them, or given up. */
function firstNotes(open: Open): Record<string, string | number> {
  const isBusy = open.recordings.length > 0;
  return { id: randomUUID(), sinceMs: isBusy ? 'now' : 0, phase: 'open' };
}

async function restoreOpen(
  { store, restorer, log }: RebuildOptions,
  fence: string,
  signal: AbortSignal,
): Promise<Open> {
  const recordings: Recording[] = [];
  const highlights: Highlight[] = [];
  const atOnce = { limit: OPEN_AT_ONCE, signal };
  await forEachLimited(namesIn(store, objectKeys.openRecordings), atOnce, async (id) => {
    const recording = await restorer.restoreRecording(id, fence);
    if (recording === undefined || isFinal(recording.state)) {
      // Its end, or its beginning, was cut short.
      log.info({ event: 'open-mark-removed', recordingId: id });
      await store.delete(objectKeys.openRecording(id));
    } else {
      recordings.push(recording);
    }
  });
  await forEachLimited(namesIn(store, objectKeys.openHighlights), atOnce, async (id) => {
    const highlight = await restorer.restoreHighlight(id, fence);
    if (highlight === undefined || highlight.state === 'completed' || highlight.state === 'failed')
      await store.delete(objectKeys.openHighlight(id));
    else {
      await restorer.restoreRecording(highlight.recordingId, fence);
      highlights.push(highlight);
    }
  });
  return { recordings, highlights };
}

/** How many were read. Newest first: that is what people ask for. */
async function restoreFinished(
  { redis, store, restorer, enqueueRecording }: RebuildOptions,
  fence: string,
  signal: AbortSignal,
): Promise<number> {
  const atOnce = { limit: FINISHED_AT_ONCE, signal };
  const ids: string[] = [];
  for await (const id of store.listFolders(objectKeys.recordings)) ids.push(id);
  // Ids begin with their time.
  ids.reverse();
  const doneTo = await redis.hget(redisKeys.generation, 'doneTo');
  const todo = doneTo === null ? ids : ids.filter((id) => id < doneTo);
  for (let from = 0; from < todo.length; from += PAGE) {
    const page = todo.slice(from, from + PAGE);
    await forEachLimited(page, atOnce, async (id) => {
      const recording = await restorer.restoreRecording(id, fence);
      // Of a time before open ones were marked.
      if (recording !== undefined && !isFinal(recording.state)) await enqueueRecording(recording);
    });
    await note(redis, fence, { doneTo: page.at(-1) ?? '' });
  }
  const highlights = store.listFolders(objectKeys.highlights);
  await forEachLimited(highlights, atOnce, async (id) => {
    await restorer.restoreHighlight(id, fence);
  });
  return todo.length;
}

/** Writes into the generation as long as the lock is ours; else somebody else goes on. */
async function note(
  redis: Redis,
  token: string,
  fields: Readonly<Record<string, string | number>>,
): Promise<void> {
  const keys = [redisKeys.generation, redisKeys.rebuildLock];
  const isOurs = await NOTE.run(redis, keys, [token, ...Object.entries(fields).flat()]);
  if (isOurs !== 1) throw new Error('The lock of the rebuild was lost');
}

function summary(open: Open, startedAt: number): object {
  return {
    recordings: open.recordings.length,
    highlights: open.highlights.length,
    tookMs: Math.round(performance.now() - startedAt),
  };
}

/** Renews the lock until it is closed, or lost. */
function keepLock(
  redis: Redis,
  token: string,
): { readonly lost: AbortSignal; close(): Promise<void> } {
  const lost = new AbortController();
  const timer = setInterval(() => {
    RENEW.run(redis, [redisKeys.rebuildLock], [token, LOCK_MS]).then(
      (renewed) => {
        if (renewed !== 1) lost.abort(new Error('The lock of the rebuild was lost'));
      },
      () => undefined, // Redis is away: if the lock lapses meanwhile, the next renewal says so
    );
  }, RENEW_MS);
  return {
    lost: lost.signal,
    close: async () => {
      clearInterval(timer);
      await RELEASE.run(redis, [redisKeys.rebuildLock], [token]).catch(() => undefined);
    },
  };
}

async function* namesIn(store: ObjectStore, folder: string): AsyncIterable<string> {
  for await (const { key } of store.list(folder)) yield key.slice(folder.length);
}
