import type { RecordingProgress } from '../../model/progress.ts';
import type { Recording, RecordingState } from '../../model/recording.ts';
import type { Closable } from '../../lifecycle.ts';

export type RecordingFilter = {
  readonly state?: RecordingState | undefined;
  readonly externalId?: string | undefined;
  /** Most recordings to return; newest first. */
  readonly limit: number;
  /** Opaque; from the page before. */
  readonly cursor?: string | undefined;
};

/** A change to a recording: pure, from the present record to the next. Return the same object to change nothing. */
export type RecordingChange = (recording: Recording) => Recording;

/**
 * The recordings' records: fast in Redis, lasting as `recordings/<id>/recording.json` in the object store.
 * A record is in the store before `create` resolves.
 */
export type RecordingRepository = {
  create(recording: Recording): Promise<void>;
  find(id: string): Promise<Recording | undefined>;
  /** Throws `recording-not-found`. */
  get(id: string): Promise<Recording>;
  list(
    filter: RecordingFilter,
  ): Promise<{ readonly recordings: readonly Recording[]; readonly nextCursor: string | null }>;
  /** Applies a change atomically (optimistic, retried), stores it, tells subscribers; resolves to the new record. */
  update(id: string, change: RecordingChange): Promise<Recording>;
  /** Removes the record, its progress and index. Objects are the caller's. */
  delete(id: string): Promise<void>;
  /**
   * Called once with the present record, then after each change, by whichever process. Polls as well, so a lost
   * message is only late.
   */
  subscribe(id: string, onChanged: (recording: Recording) => void): Promise<Closable>;
  /** The latest numbers of a running recording; kept for as long as the record. */
  setProgress(id: string, progress: RecordingProgress): Promise<void>;
  findProgress(id: string): Promise<RecordingProgress | undefined>;
  /** Ids of recordings whose time is over, longest ago first. */
  listExpired(beforeMs: number, limit: number): Promise<readonly string[]>;
  /** Ids of recordings that are being deleted (`deletedAtMs`), and of which something is still there, longest ago first. */
  listDeleting(): Promise<readonly string[]>;
  /** Ids of recordings with re-encodes that are not over, longest asked for first. */
  listReencoding(): Promise<readonly string[]>;
  /** How many recordings are in each state, for metrics. */
  countByState(): Promise<Readonly<Record<RecordingState, number>>>;
};
