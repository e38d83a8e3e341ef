import type { Redis } from 'ioredis';
import { asChalkreelError } from '../../errors.ts';
import { hashSegmentCodec } from '../../media/mpegts/codec-hash.ts';
import type { SegmentEntry } from '../../model/segment.ts';
import {
  joinJournals,
  parseJournal,
  parseJournalKey,
  type JoinedJournal,
} from '../index/journal.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { ownerOf, planIndex, type FoundSegment, type IndexPlan } from './rebuild-plan.ts';
import { FENCE } from './rebuild-fence.ts';
import { parseSegmentName } from '../recording-playlist.ts';
import { redisKeys } from '../redis-keys.ts';
import { RedisScript } from '../redis-script.ts';

/**
 * Epochs handed out anew begin so far above the highest that the store names: a worker may have had one under which nothing has been
 * published yet, and objects of two workers must never have one name.
 */
const EPOCH_LEAP = 1000;
/** Entries sent at once. */
const WRITE_CHUNK = 5000;
/** A list half brought back by a process that died is forgotten after this. */
const HALF_LIST_TTL_S = 60;

/** KEYS: list, head, the list brought back. ARGV: fence, then names and values of the head's fields. */
const COMMIT = new RedisScript(
  `${FENCE}
local list, head, restored = KEYS[1], KEYS[2], KEYS[3]
if not mayRestore(ARGV[1]) or redis.call('EXISTS', list, head) > 0 then
  redis.call('DEL', restored)
  return 0
end
if redis.call('EXISTS', restored) == 1 then
  redis.call('RENAME', restored, list)
  redis.call('PERSIST', list)
end
for i = 2, #ARGV, 2 do redis.call('HSET', head, ARGV[i], ARGV[i + 1]) end
redis.call('PUBLISH', list .. ':changed', '')
return 1
`,
  { duringRebuild: true },
);

/**
 * Reads what the store says of a recording's index. `everything` looks at all objects, not just at those newer than the journals, and
 * finds all orphans.
 */
export async function readStoredIndex(
  store: ObjectStore,
  recordingId: string,
  { everything = false } = {},
): Promise<IndexPlan> {
  const journal = await readJournals(store, recordingId);
  const found = await findSegments(store, recordingId, everything ? -1 : journal.last);
  return planIndex(journal, found, await readCodecs(store, journal, found));
}

/** Brings an index back into a Redis that has none of the recording; false when it has, or `fence` does not hold. */
export async function restoreIndex(
  redis: Redis,
  recordingId: string,
  { plan, fence }: { readonly plan: IndexPlan; readonly fence: string },
): Promise<boolean> {
  const half = redisKeys.rebuildList(fence, recordingId);
  await redis.del(half);
  for (let from = 0; from < plan.entries.length; from += WRITE_CHUNK) {
    const chunk = plan.entries.slice(from, from + WRITE_CHUNK);
    await redis
      .multi()
      .rpush(half, ...chunk.map((entry) => JSON.stringify(entry)))
      .expire(half, HALF_LIST_TTL_S)
      .exec();
  }
  const keys = [redisKeys.segments(recordingId), redisKeys.segmentsHead(recordingId), half];
  return (await COMMIT.run(redis, keys, [fence, ...writeHead(plan).flat()])) === 1;
}

/** The head's fields, by name; see `segment-index-scripts.ts`. */
function writeHead(plan: IndexPlan): [string, string | number][] {
  const { entries, aside, epochs, last, seq, covered, coveredLast } = plan;
  if (entries.length + aside.length + Object.keys(epochs).length + seq === 0) return [];
  const owner = entries.at(-1);
  return [
    ...(last >= 0 ? [['last', last] as [string, number]] : []),
    ...(owner === undefined ? [] : [['owner', ownerOf(owner)] as [string, string]]),
    ...Object.entries(epochs).map(([lane, epoch]): [string, number] => [
      `epoch:${lane}`,
      epoch + EPOCH_LEAP,
    ]),
    ...fences([...entries, ...aside]),
    ...aside.map((entry): [string, string] => [`aside:${entry.n}`, JSON.stringify(entry)]),
    ['journals', seq],
    ['covered', covered],
    ['coveredLast', coveredLast],
    ['coveredLate', aside.filter(({ n }) => n <= coveredLast).length],
  ];
}

/**
 * Of each lane the newest owner, and its first number. Whether it came by a hand-over is not known any more, so it counts as one: what its
 * predecessor still has from before it is taken.
 */
function fences(entries: readonly SegmentEntry[]): [string, number][] {
  const newest = new Map<number, { epoch: number; from: number }>();
  for (const { lane, epoch, n } of entries) {
    const known = newest.get(lane);
    if (known === undefined || epoch > known.epoch) newest.set(lane, { epoch, from: n });
    else if (epoch === known.epoch) known.from = Math.min(known.from, n);
  }
  return [...newest].flatMap(([lane, { epoch, from }]): [string, number][] => [
    [`fence:${lane}`, epoch],
    [`joins:${lane}`, epoch],
    [`from:${lane}`, from],
  ]);
}

async function readJournals(store: ObjectStore, recordingId: string): Promise<JoinedJournal> {
  const keys: { readonly key: string; readonly seq: number; readonly from: number }[] = [];
  for await (const { key } of store.list(objectKeys.journals(recordingId))) {
    const name = parseJournalKey(key);
    if (name !== undefined) keys.push({ key, ...name });
  }
  const first = Math.max(
    0,
    keys.findLastIndex(({ from }) => from === 0),
  );
  const journals = [];
  for (const { key, seq } of keys.slice(first)) {
    journals.push({ seq, journal: parseJournal(await store.read(key), key) });
  }
  return joinJournals(journals);
}

async function findSegments(
  store: ObjectStore,
  recordingId: string,
  afterNumber: number,
): Promise<FoundSegment[]> {
  const folder = objectKeys.segments(recordingId);
  // "~" comes behind everything that follows a number in a name.
  const after = afterNumber < 0 ? undefined : `${folder}${String(afterNumber).padStart(6, '0')}~`;
  const found: FoundSegment[] = [];
  for await (const { key, length, modifiedAtMs } of store.list(folder, { after })) {
    const name = parseSegmentName(key.slice(folder.length));
    if (name !== undefined) found.push({ ...name, object: key, length, modifiedAtMs });
  }
  return found;
}

/** The codec of each owner: as in the journals, or else read from one of its segments. */
async function readCodecs(
  store: ObjectStore,
  journal: JoinedJournal,
  found: readonly FoundSegment[],
): Promise<ReadonlyMap<string, string>> {
  const codecs = new Map<string, string>();
  for (const entry of [...journal.aside, ...journal.entries]) {
    codecs.set(ownerOf(entry), entry.codecHash);
  }
  for (const object of found) {
    const owner = ownerOf(object);
    if (codecs.has(owner)) continue;
    const codec = await readCodec(store, object.object);
    if (codec !== undefined) codecs.set(owner, codec);
  }
  return codecs;
}

async function readCodec(store: ObjectStore, object: string): Promise<string | undefined> {
  try {
    return hashSegmentCodec(await store.read(object));
  } catch (error) {
    // Lost its number, and its maker has deleted it meanwhile.
    if (asChalkreelError(error).code === 'object-not-found') return undefined;
    throw error;
  }
}
