import type { SegmentEntry } from '../../model/segment.ts';

/** A journal is written at least every so many segments: 102 s. */
export const JOURNAL_SEGMENTS = 64;

/** Where a recording's index stands, and how far journals say so. */
export type JournalState = {
  /** Number of the next journal. */
  readonly seq: number;
  /** Positions that journals cover, and the highest number they say is decided. */
  readonly covered: number;
  readonly coveredLast: number;
  /** Highest number decided. */
  readonly last: number;
  /** The entry before the first that is not covered, and those from there on. */
  readonly before: SegmentEntry | undefined;
  readonly tail: readonly SegmentEntry[];
  /** Entries that came late that no journal has. */
  readonly hasNewLate: boolean;
};

/**
 * Whether the names of the objects alone say that an entry follows another: the next number by the same owner. Everything else (a first
 * segment, a hole, another owner, another codec, a part only) has to be in a journal before anybody is shown it, for it cannot be told from the names.
 */
export function isPlain(before: SegmentEntry | undefined, entry: SegmentEntry): boolean {
  return (
    before !== undefined &&
    entry.n === before.n + 1 &&
    entry.lane === before.lane &&
    entry.epoch === before.epoch &&
    entry.codecHash === before.codecHash &&
    entry.spanMs === undefined
  );
}

/** Whether a journal must be written now: something is not plain, or there is enough for one. */
export function isJournalDue(state: JournalState): boolean {
  const { before, tail, last, coveredLast, hasNewLate } = state;
  if (hasNewLate || tail.length >= JOURNAL_SEGMENTS) return true;
  if (last > (tail.at(-1)?.n ?? coveredLast)) return true;
  return tail.some((entry, i) => !isPlain(i === 0 ? before : tail[i - 1], entry));
}
