import type { SegmentEntry } from '../../model/segment.ts';
import type { JoinedJournal } from '../index/journal.ts';

/** A segment's object as found in the store: what its name says, and its size. */
export type FoundSegment = Pick<SegmentEntry, 'n' | 'lane' | 'epoch'> & {
  readonly object: string;
  readonly length: number;
  readonly modifiedAtMs: number;
};

/** A recording's index, made anew from its journals and the names of newer objects. */
export type IndexPlan = {
  /** In order, at the positions they had. */
  readonly entries: readonly SegmentEntry[];
  /** How many of them the journals have. */
  readonly covered: number;
  readonly coveredLast: number;
  readonly last: number;
  readonly seq: number;
  /** Highest epoch of each lane that anything in the store names. */
  readonly epochs: Readonly<Record<string, number>>;
  /** Entries out of order: late ones below `last`; above it those whose turn the index is to decide. */
  readonly aside: readonly SegmentEntry[];
  /** Objects that stand for no number: their append was refused, or another one won. */
  readonly orphans: readonly FoundSegment[];
  /** All that was looked at. */
  readonly found: readonly FoundSegment[];
};

/** `<lane>:<epoch>`: one run of one encoder. */
export function ownerOf({ lane, epoch }: Pick<SegmentEntry, 'lane' | 'epoch'>): string {
  return `${lane}:${epoch}`;
}

/**
 * Goes on where the journals end: objects with the next numbers of the last entry's owner follow it (see `isPlain`); all others are given to
 * the index to decide about, as if they had just been published. Of two with one number that of the one before comes first, else what was stored first.
 * `codecs` has the codec of each owner; objects of others are orphans: their bytes are no segment.
 */
export function planIndex(
  journal: JoinedJournal,
  found: readonly FoundSegment[],
  codecs: ReadonlyMap<string, string>,
): IndexPlan {
  const entries = [...journal.entries];
  const listed = new Set([...entries, ...journal.aside].map(({ place }) => place.object));
  const taken = new Set([...entries, ...journal.aside].map(({ n }) => n));
  const epochs = highestEpochs(journal, found);
  const orphans: FoundSegment[] = [];
  const byNumber = new Map<number, FoundSegment[]>();
  for (const object of found) {
    if (listed.has(object.object)) continue;
    if (taken.has(object.n) || !codecs.has(ownerOf(object))) orphans.push(object);
    else byNumber.set(object.n, [...(byNumber.get(object.n) ?? []), object]);
  }
  const toEntry = (object: FoundSegment): SegmentEntry => ({
    n: object.n,
    lane: object.lane,
    epoch: object.epoch,
    place: { object: object.object, offset: 0, length: object.length },
    codecHash: codecs.get(ownerOf(object)) ?? '',
    publishedAtMs: Math.round(object.modifiedAtMs),
  });
  const aside = new Map(journal.aside.map((entry) => [entry.n, entry]));
  let last = journal.last;
  for (const [n, objects] of [...byNumber].sort(([a], [b]) => a - b)) {
    const before = entries.at(-1);
    const plain = objects.find(
      (object) => last === before?.n && n === last + 1 && ownerOf(object) === ownerOf(before),
    );
    const neighbour = aside.get(n - 1) ?? before;
    const chosen = plain ?? objects.find(isOf(neighbour)) ?? [...objects].sort(firstStored)[0];
    orphans.push(...objects.filter((object) => object !== chosen));
    if (chosen === undefined) continue;
    if (chosen === plain) {
      entries.push(toEntry(chosen));
      last = n;
    } else {
      aside.set(n, toEntry(chosen));
    }
  }
  return {
    entries,
    covered: journal.entries.length,
    coveredLast: journal.last,
    last,
    seq: journal.seq,
    epochs,
    aside: [...aside.values()].sort((a, b) => a.n - b.n),
    orphans: orphans.sort((a, b) => a.n - b.n),
    found,
  };
}

function highestEpochs(
  journal: JoinedJournal,
  found: readonly FoundSegment[],
): Readonly<Record<string, number>> {
  const epochs: Record<string, number> = { ...journal.epochs };
  for (const { lane, epoch } of [...journal.entries, ...journal.aside, ...found]) {
    epochs[lane] = Math.max(epochs[lane] ?? 0, epoch);
  }
  return epochs;
}

function isOf(entry: SegmentEntry | undefined): (object: FoundSegment) => boolean {
  return (object) => entry !== undefined && ownerOf(object) === ownerOf(entry);
}

/** Most likely it was listed first, too, and who lost has deleted its own, or will. */
function firstStored(a: FoundSegment, b: FoundSegment): number {
  return a.modifiedAtMs - b.modifiedAtMs || a.epoch - b.epoch || a.lane - b.lane;
}
