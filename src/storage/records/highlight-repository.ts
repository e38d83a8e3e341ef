import type { Highlight, HighlightState } from '../../model/highlight.ts';

/** How `create` takes a trigger. */
export type CreateHighlightOptions = {
  /**
   * What was asked for, as a digest: another trigger of the same within `DOUBLE_PRESS_MS` is the same press of a button. Absent for a trigger
   * that is one of its own, whatever else there is.
   */
  readonly press?: string | undefined;
  /** The trigger may be heard again, by a takeover or a reconnection, after its highlight was deleted: then it stays deleted. */
  readonly isHeard?: boolean;
};

/** Presses of a button within this time, by the times of their triggers, are one. */
export const DOUBLE_PRESS_MS = 2000;

/** What highlights are looked for; all that is named must hold. */
export type HighlightFilter = {
  readonly recordingId?: string | undefined;
  /** Who asked for it, or the recording's teacher. */
  readonly teacher?: string | undefined;
  readonly participant?: string | undefined;
  readonly tag?: string | undefined;
  readonly favouriteOf?: string | undefined;
  readonly state?: HighlightState | undefined;
  /** The moment's time (`triggeredAtMs`), Unix ms: from inclusive, to exclusive. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Most to return. */
  readonly limit: number;
  /** Opaque; from the page before. */
  readonly cursor?: string | undefined;
};

/** A page may be shorter than its limit; only `nextCursor` null says that there is no more. */
export type HighlightPage = {
  readonly highlights: readonly Highlight[];
  readonly nextCursor: string | null;
};

/**
 * The highlights' records: fast in Redis, lasting in the object store, in `open/highlights/<id>` as they were created and from the first
 * change on as `highlights/<id>/highlight.json`.
 */
export type HighlightRepository = {
  /**
   * Creates it unless its recording already has one with this `triggerId`, or of the same press, in which case that one is
   * returned, and its trigger is known for that one from then on. In the store before it resolves; `listPending` has it, whatever
   * happens then. What may have been heard before is better looked for first (`findByTrigger`): that costs no write. Throws
   * `highlight-deleted` for a trigger heard again.
   */
  create(
    highlight: Highlight,
    options?: CreateHighlightOptions,
  ): Promise<{ readonly highlight: Highlight; readonly created: boolean }>;
  find(id: string): Promise<Highlight | undefined>;
  /** Throws `highlight-not-found`. */
  get(id: string): Promise<Highlight>;
  /** The highlight that a trigger has become, or became part of. */
  findByTrigger(recordingId: string, triggerId: string): Promise<Highlight | undefined>;
  /** Lets a trigger be known for a highlight that is there already. The first word on a trigger counts. */
  addTrigger(highlight: Pick<Highlight, 'id' | 'recordingId'>, triggerId: string): Promise<void>;
  /** Ids of highlights whose clip is still to be made, by the time of their trigger, up to `beforeMs` (Unix ms). */
  listPending(beforeMs: number): Promise<readonly string[]>;
  /** All of a recording, oldest moment first. */
  listByRecording(recordingId: string): Promise<readonly Highlight[]>;
  /** Newest moment first, page by page. */
  list(filter: HighlightFilter): Promise<HighlightPage>;
  update(id: string, change: (highlight: Highlight) => Highlight): Promise<Highlight>;
  delete(id: string): Promise<void>;
};
