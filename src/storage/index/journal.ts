import { z } from 'zod';
import { ChalkreelError } from '../../errors.ts';
import type { SegmentEntry, SegmentPlace } from '../../model/segment.ts';

/**
 * A part of a recording's order as it was served, put once into the store (`recordings/<id>/journal/<seq>-<from>.json`). Together with the
 * segments' names the journals say everything that the index in Redis says: see `planJournal` for what must be in one.
 */
export type Journal = {
  readonly version: 1;
  /** Position of its first entry. What earlier journals say from there on is void. */
  readonly from: number;
  /** Entries in order. */
  readonly entries: readonly SegmentEntry[];
  /** Highest number decided; above the last entry's there are holes up to it. −1 before the first. */
  readonly last: number;
  /** Highest epoch of each lane, by lane. */
  readonly epochs: Readonly<Record<string, number>>;
  /** Entries that came late, or waited. */
  readonly aside: readonly SegmentEntry[];
  readonly writtenAtMs: number;
};

/** What all journals of a recording say together. */
export type JoinedJournal = Pick<Journal, 'entries' | 'last' | 'epochs' | 'aside'> & {
  /** Number of the next journal. */
  readonly seq: number;
};

/** What else an entry has is kept as it is. By hand, since a class of 24 h has 54 000. */
function isEntry(value: unknown): value is SegmentEntry {
  const entry = (value ?? {}) as { readonly [Key in keyof SegmentEntry]?: unknown };
  const { n, lane, epoch, codecHash, publishedAtMs } = entry;
  const place = (entry.place ?? {}) as { readonly [Key in keyof SegmentPlace]?: unknown };
  const { object, offset, length } = place;
  return (
    [n, lane, epoch, offset, length].every(
      (number) => Number.isInteger(number) && Number(number) >= 0,
    ) &&
    [object, codecHash].every((text) => typeof text === 'string') &&
    typeof publishedAtMs === 'number'
  );
}

const entrySchema = z.custom<SegmentEntry>(isEntry);

const journalSchema = z.object({
  version: z.literal(1),
  from: z.number().int().min(0),
  entries: z.array(entrySchema),
  last: z.number().int().min(-1),
  epochs: z.record(z.string(), z.number().int()),
  aside: z.array(entrySchema),
  writtenAtMs: z.number(),
});

/** A journal as the store keeps it. */
export function serializeJournal(journal: Journal): Buffer {
  return Buffer.from(`${JSON.stringify(journal)}\n`);
}

/** Reads what `serializeJournal` wrote. Throws `journal-broken`, naming the object. */
export function parseJournal(bytes: Uint8Array, object: string): Journal {
  try {
    return journalSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
  } catch (cause) {
    const message = `${object}: expected a journal of segments (version 1)`;
    throw new ChalkreelError('journal-broken', message, { cause });
  }
}

/** Number and first position from a journal's key; undefined for another object. */
export function parseJournalKey(
  key: string,
): { readonly seq: number; readonly from: number } | undefined {
  const match = /\/(\d{6,})-(\d{6,})\.json$/.exec(key);
  return match === null ? undefined : { seq: Number(match[1]), from: Number(match[2]) };
}

/** Joins journals in the order of their keys. */
export function joinJournals(
  journals: readonly { readonly seq: number; readonly journal: Journal }[],
): JoinedJournal {
  const entries: SegmentEntry[] = [];
  const epochs: Record<string, number> = {};
  for (const { journal } of journals) {
    entries.length = Math.min(entries.length, journal.from);
    for (const entry of journal.entries) entries.push(entry);
    for (const [lane, epoch] of Object.entries(journal.epochs)) {
      epochs[lane] = Math.max(epochs[lane] ?? 0, epoch);
    }
  }
  const newest = journals.at(-1);
  return {
    entries,
    epochs,
    last: newest?.journal.last ?? -1,
    aside: newest?.journal.aside ?? [],
    seq: newest === undefined ? 0 : newest.seq + 1,
  };
}
