import type { Closable } from '../../lifecycle.ts';
import type { SegmentEntry } from '../../model/segment.ts';

export type AppendResult =
  /** `late`: its number had been given up, so it is in no playlist being served, only in the final one. */
  | { readonly appended: true; readonly late?: true }
  /** `taken`: another object stands for `n`; `stale-epoch`: a newer owner exists. */
  | { readonly appended: false; readonly reason: 'taken' | 'stale-epoch' };

/** `go`: bring it. `taken`: it stands already. `wait`: the other lane leads, and may still bring it. */
export type Turn = 'go' | 'taken' | 'wait';

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
 * The order of a recording's segments, as it is served: entries ascend by `n` and never change, nothing comes between them later. The
 * first to be listed begins it, whatever its number (of two lanes lane 0 has the first turn); what is from before it is late. An entry that leaves numbers out waits until they are there, or are given up: another owner begins after them, or they are
 * `OVERDUE_MS` late by the fleet's clock (`settle`). The append is the only fence between two makers of one recording.
 */
export type SegmentIndex = {
  /** Hands out a new epoch of a lane, above all before it: from its first append on those under older ones are refused. */
  openEpoch(recordingId: string, lane: number): Promise<number>;
  /**
   * Lists an entry; may be repeated. `isSalvaged`: found in a dead worker's spool, it may fill a hole though others have followed its
   * maker. See `APPEND` for who is shut out when.
   */
  append(
    recordingId: string,
    entry: SegmentEntry,
    options?: { readonly isSalvaged?: boolean },
  ): Promise<AppendResult>;
  /** With two lanes, before anything is stored: whether it is this lane's turn to bring a number. */
  askTurn(
    recordingId: string,
    segment: Pick<SegmentEntry, 'n' | 'lane'>,
    originMs: number,
  ): Promise<Turn>;
  /** Gives up numbers that are overdue, or that nothing can bring any more, and lets in order what waited for them. May be repeated. */
  settle(recordingId: string, options: SettleOptions): Promise<Settled>;
  /** Entries in order from position `from` (0 = first). Positions are stable, so callers can cache. */
  read(recordingId: string, from?: number): Promise<readonly SegmentEntry[]>;
  /**
   * The entries in order from number `first` to `last`, both inclusive, and the highest number decided: below that, a number without
   * an entry is a hole. Costs no more in a recording of 24 h.
   */
  readNumbers(
    recordingId: string,
    first: number,
    last: number,
  ): Promise<{ readonly decided: number; readonly entries: readonly SegmentEntry[] }>;
  /** The entry with the highest number there is, also one that waits. */
  findLast(recordingId: string): Promise<SegmentEntry | undefined>;
  /** Every entry there is by number, also those that wait or came late: what the final playlist is made of. */
  readAll(recordingId: string): Promise<readonly SegmentEntry[]>;
  /** Entries that wait or came late, by number: usually none. */
  readAside(recordingId: string): Promise<readonly SegmentEntry[]>;
  /** Number of entries in order. */
  count(recordingId: string): Promise<number>;
  /**
   * Calls back whenever the index of a recording has changed, in whichever process, and now and then without a change, so that a lost
   * message is only late. What is read after it resolves is at least as new as what is not told.
   */
  subscribe(recordingId: string, onChanged: () => void): Promise<Closable>;
  /** Removes the whole index of a recording. */
  delete(recordingId: string): Promise<void>;
};

/** How long after its end a segment is waited for before it counts as a hole, ms: upload trouble is delay until then. */
export const OVERDUE_MS = 10_000;

/** How long after its end a segment may come from the lane that leads before the other one brings it, ms: two segments. */
export const MISSED_MS = 3_200;
