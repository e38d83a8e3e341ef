import type { SegmentEntry } from '../model/segment.ts';

export type AppendResult =
  | { readonly appended: true }
  /** `taken`: another object stands for `n` or a later number is already there; `stale-epoch`: a newer owner exists. */
  | { readonly appended: false; readonly reason: 'taken' | 'stale-epoch' };

/**
 * The order of a recording's segments: entries are appended in order of `n` (a hole is a number left out) and
 * never change. The append is the only fence between two makers of one recording.
 */
export type SegmentIndex = {
  /** Opens a new epoch for a lane, above all before it: from then on appends under older ones are refused. */
  openEpoch(recordingId: string, lane: number): Promise<number>;
  append(recordingId: string, entry: SegmentEntry): Promise<AppendResult>;
  /** Entries from position `from` (0 = first appended), in order. Positions are stable, so callers can cache. */
  read(recordingId: string, from?: number): Promise<readonly SegmentEntry[]>;
  /** Number of entries. */
  count(recordingId: string): Promise<number>;
  /** Removes the whole index of a recording. */
  delete(recordingId: string): Promise<void>;
};
