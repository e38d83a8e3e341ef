import type { SegmentEntry } from '../model/segment.ts';

export type AppendResult =
  /** `late`: its number had been given up, so it is in no playlist being served, only in the final one. */
  | { readonly appended: true; readonly late?: true }
  /** `taken`: another object stands for `n`; `stale-epoch`: a newer owner exists. */
  | { readonly appended: false; readonly reason: 'taken' | 'stale-epoch' };

/** How far a recording's order is decided: what is in it, and what is a hole, up to this number. */
export type Settled = {
  /** Highest number decided; −1 before the first entry. Above the last entry's number there are holes up to it. */
  readonly last: number;
  /** Entries that are in order at that moment. */
  readonly count: number;
};

export type SettleOptions = {
  /** The recording's origin, Unix ms. */
  readonly originMs: number;
  /** No number from here on is given up: the recording ends before it. */
  readonly endNumber?: number | undefined;
  /** Nothing more will come: decides everything that waits. */
  readonly isOver?: boolean;
};

/**
 * The order of a recording's segments, as it is served: entries ascend by `n` and never change, nothing comes between them later. An
 * entry that leaves numbers out waits until they are there, or are given up: another owner begins after them, or they are
 * `OVERDUE_MS` late by the fleet's clock (`settle`). The append is the only fence between two makers of one recording.
 */
export type SegmentIndex = {
  /** Opens a new epoch for a lane, above all before it: from then on appends under older ones are refused. */
  openEpoch(recordingId: string, lane: number): Promise<number>;
  append(recordingId: string, entry: SegmentEntry): Promise<AppendResult>;
  /** Gives up numbers that are overdue, or that nothing can bring any more, and lets in order what waited for them. May be repeated. */
  settle(recordingId: string, options: SettleOptions): Promise<Settled>;
  /** Entries in order from position `from` (0 = first). Positions are stable, so callers can cache. */
  read(recordingId: string, from?: number): Promise<readonly SegmentEntry[]>;
  /** Every entry there is by number, also those that wait or came late: what the final playlist is made of. */
  readAll(recordingId: string): Promise<readonly SegmentEntry[]>;
  /** Entries that wait or came late, by number: usually none. */
  readAside(recordingId: string): Promise<readonly SegmentEntry[]>;
  /** Number of entries in order. */
  count(recordingId: string): Promise<number>;
  /** Removes the whole index of a recording. */
  delete(recordingId: string): Promise<void>;
};

/** How long after its end a segment is waited for before it counts as a hole, ms: upload trouble is delay until then. */
export const OVERDUE_MS = 10_000;
