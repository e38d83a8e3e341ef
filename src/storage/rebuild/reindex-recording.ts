import { writeMediaPlaylist } from '../../media/playlist.ts';
import { isFinal, type Recording } from '../../model/recording.ts';
import type { SegmentEntry } from '../../model/segment.ts';
import { isRebuilding } from './generation.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { readStoredIndex } from './rebuild-index.ts';
import type { FoundSegment, IndexPlan } from './rebuild-plan.ts';
import type { RecordingRepository } from '../records/recording-repository.ts';
import { parseSegmentName, planFinalPlaylist } from '../recording-playlist.ts';
import type { Restorer } from './restorer.ts';
import type { SegmentIndex } from '../index/segment-index.ts';

/** A transport packet: a segment is a whole number of them. */
const PACKET_BYTES = 188;
/** An object this young may be on its way into the index. */
const YOUNG_MS = 60_000;

export type ReindexServices = {
  readonly store: ObjectStore;
  readonly recordings: RecordingRepository;
  readonly segments: SegmentIndex;
  readonly restorer: Restorer;
};

/** Bytes in the store that belong to nothing. They are left where they are. */
export type Orphan = {
  readonly object: string;
  readonly length: number;
  /** `lost-race`: another object stands for its number. */
  readonly why: 'lost-race' | 'half-written' | 'unknown-name';
};

/** What a look at one recording found. */
export type RecordingFinding = {
  readonly recordingId: string;
  /** `absent`: Redis did not know it. `foreign`: the store does not. */
  readonly state: 'in-step' | 'absent' | 'differs' | 'foreign';
  /** What differs, a sentence each. */
  readonly differences: readonly string[];
  /** Segments that the store has and Redis's index had not. */
  readonly missingInRedis: number;
  /** Segments of Redis's index whose objects are gone: that media is lost. */
  readonly missingInStore: number;
  readonly orphans: readonly Orphan[];
  /** Whether it is in step now, apart from orphans and media that is lost. */
  readonly isRepaired: boolean;
};

type Known = { readonly inOrder: readonly SegmentEntry[]; readonly all: readonly SegmentEntry[] };

/**
 * Compares what Redis says of a recording with the store, and unless `dryRun` brings into Redis what is missing there. What is being served
 * is never reordered. `fence` is explained in rebuild-fence.ts.
 */
export async function reindexRecording(
  id: string,
  services: ReindexServices,
  options: { readonly dryRun: boolean; readonly fence: string; readonly nowMs: number },
): Promise<RecordingFinding> {
  const { store, recordings, segments, restorer } = services;
  const plan = await readStoredIndex(store, id, { everything: true });
  const present = await recordings.find(id).catch(nothingWhenEmptied);
  const isStored = (await store.find(objectKeys.recording(id))) !== undefined;
  const known: Known = { inOrder: await segments.read(id), all: await segments.readAll(id) };
  const look = { plan, known, present, isStored };
  const differences = await describe(look, store, id);
  const orphans = await findOrphans(look, store, { id, nowMs: options.nowMs });
  const missing = findMissing(plan, known);
  const missingInStore = await countMissingObjects(known.all, plan, store);
  const finding = {
    recordingId: id,
    differences,
    missingInRedis: missing.length,
    missingInStore,
    orphans,
  };
  if (!isStored && present !== undefined) {
    if (!options.dryRun) await storeAgain(present, recordings);
    return { ...finding, state: 'foreign', isRepaired: !options.dryRun };
  }
  const state = present === undefined ? 'absent' : differences.length > 0 ? 'differs' : 'in-step';
  if (options.dryRun || state === 'in-step') {
    return { ...finding, state, isRepaired: state === 'in-step' };
  }
  if (present === undefined) {
    const restored = await restorer.restoreRecording(id, options.fence);
    return { ...finding, state, isRepaired: restored !== undefined };
  }
  await storeAgain(present, recordings);
  for (const entry of missing) await segments.append(id, entry, { isSalvaged: true });
  const all = await segments.readAll(id);
  if (missing.length > 0 && isFinal(present.state)) await writePlaylist(present, all, store);
  const stillMissing = findMissing(plan, { ...known, all });
  return { ...finding, state, isRepaired: stillMissing.length === 0 };
}

/** To an observer an emptied Redis is one that knows nothing. */
function nothingWhenEmptied(error: unknown): undefined {
  if (!isRebuilding(error)) throw error;
}

type Look = {
  readonly plan: IndexPlan;
  readonly known: Known;
  readonly present: Recording | undefined;
  readonly isStored: boolean;
};

async function describe(
  { plan, known, present, isStored }: Look,
  store: ObjectStore,
  id: string,
): Promise<readonly string[]> {
  const differences: string[] = [];
  const say = (text: string): unknown => differences.push(text);
  if (present === undefined) say('Redis does not know the recording.');
  else if (!isStored) say('The store has no recording.json.');
  else if ((await store.read(objectKeys.recording(id))).toString() !== serialized(present)) {
    say('recording.json is not what Redis has.');
  }
  const missing = findMissing(plan, known);
  if (missing.length > 0) say(`Redis does not list ${numbers(missing)}.`);
  const other = plan.entries.slice(0, plan.covered).find((entry, position) => {
    const served = known.inOrder[position];
    return served !== undefined && served.place.object !== entry.place.object;
  });
  if (other !== undefined)
    say(`From number ${other.n} on Redis serves another order than journalled.`);
  return differences;
}

function serialized(recording: Recording): string {
  return `${JSON.stringify(recording, null, 2)}\n`;
}

/** In the order of their numbers. */
function findMissing(plan: IndexPlan, known: Known): readonly SegmentEntry[] {
  const numbersKnown = new Set(known.all.map(({ n }) => n));
  return [...plan.entries, ...plan.aside]
    .filter(({ n }) => !numbersKnown.has(n))
    .sort((a, b) => a.n - b.n);
}

/** Media that is in the index and not in the store. Objects that were listed are there. */
async function countMissingObjects(
  entries: readonly SegmentEntry[],
  plan: IndexPlan,
  store: ObjectStore,
): Promise<number> {
  const found = new Set(plan.found.map(({ object }) => object));
  const elsewhere = new Set(entries.map(({ place }) => place.object).filter((o) => !found.has(o)));
  let missing = 0;
  for (const object of elsewhere) {
    if ((await store.find(object)) !== undefined) continue;
    missing += entries.filter(({ place }) => place.object === object).length;
  }
  return missing;
}

async function findOrphans(
  { plan, known, present }: Look,
  store: ObjectStore,
  { id, nowMs }: { readonly id: string; readonly nowMs: number },
): Promise<readonly Orphan[]> {
  const listed = new Set(known.all.map(({ place }) => place.object));
  const isOver = present === undefined || isFinal(present.state);
  const isOld = ({ modifiedAtMs }: { readonly modifiedAtMs: number }): boolean =>
    isOver || nowMs - modifiedAtMs > YOUNG_MS;
  const orphans: Orphan[] = plan.orphans
    .filter((found) => !listed.has(found.object) && isOld(found))
    .map((found) => ({
      object: found.object,
      length: found.length,
      why: reasonOf(found, plan),
    }));
  const folder = objectKeys.segments(id);
  for await (const info of store.list(folder)) {
    if (parseSegmentName(info.key.slice(folder.length)) !== undefined || !isOld(info)) continue;
    orphans.push({ object: info.key, length: info.length, why: 'unknown-name' });
  }
  return orphans;
}

function reasonOf(found: FoundSegment, plan: IndexPlan): Orphan['why'] {
  if (found.length === 0 || found.length % PACKET_BYTES !== 0) return 'half-written';
  const stands = [...plan.entries, ...plan.aside].some(({ n }) => n === found.n);
  return stands ? 'lost-race' : 'half-written';
}

/** Writes the record again, as it is: the store gets what Redis has. */
async function storeAgain(recording: Recording, recordings: RecordingRepository): Promise<void> {
  await recordings.update(recording.id, (present) => ({ ...present }));
}

/** The final playlist, with what was found. */
async function writePlaylist(
  recording: Recording,
  entries: readonly SegmentEntry[],
  store: ObjectStore,
): Promise<void> {
  const plan = planFinalPlaylist(entries, recording);
  if (plan === undefined) return;
  await store.put(objectKeys.playlist(recording.id), Buffer.from(writeMediaPlaylist(plan)));
}

/** `numbers 4 to 7, 9`. */
function numbers(entries: readonly SegmentEntry[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const { n } of entries) {
    const run = runs.at(-1);
    if (run?.last === n - 1) run.last = n;
    else runs.push({ first: n, last: n });
  }
  const text = runs.map(({ first, last }) => (first === last ? `${first}` : `${first} to ${last}`));
  return `${entries.length === 1 ? 'number' : 'numbers'} ${text.join(', ')}`;
}
