import type { Clock } from '../clock.ts';
import { GrowingPlaylist } from '../media/growing-playlist.ts';
import { boundaryAtOrAfter, SEGMENT_MS, segmentAt, segmentStartMs } from '../model/grid.ts';
import { isFinal, type Recording } from '../model/recording.ts';
import type { SegmentEntry } from '../model/segment.ts';
import {
  planFinalPlaylist,
  planSegments,
  type PlaylistPlace,
} from '../storage/recording-playlist.ts';
import { OVERDUE_MS, type SegmentIndex, type Settled } from '../storage/index/segment-index.ts';
import type { EntryCache } from './entry-cache.ts';

/** Text of all playlists held: a class of 24 h takes 6 MB. */
const MAX_HELD_BYTES = 128 * 1024 * 1024;
/** The index decides by the fleet's clock; it is asked somewhat before ours says that it may have to. */
const ASK_EARLY_MS = 5000;

type Held = { readonly playlist: GrowingPlaylist; entries: number; end: PlaylistPlace | undefined };

/** Recordings' playlists as text, written once and then only appended to, so that many viewers of a class share the work. */
export class PlaylistCache {
  readonly #options: {
    readonly entries: EntryCache;
    readonly index: SegmentIndex;
    readonly clock: Clock;
    readonly maxHeldBytes: number;
  };
  /** By recording, final ones by `<id>/final`; least recently used first. */
  readonly #held = new Map<string, Held>();

  constructor(options: {
    readonly entries: EntryCache;
    readonly index: SegmentIndex;
    readonly clock: Clock;
    readonly maxHeldBytes?: number;
  }) {
    this.#options = { maxHeldBytes: MAX_HELD_BYTES, ...options };
  }

  /**
   * Lets the index decide about holes when there may be some; undefined when there is nothing to decide yet. Whoever reads entries
   * afterwards, at least `count`, has all up to the number `last`. `decided` is the highest number that the caller knows to be decided.
   */
  async settle(recording: Recording, decided = -1): Promise<Settled | undefined> {
    const { index, clock } = this.#options;
    const { id, originMs, state } = recording;
    if (originMs === null) return undefined;
    const isOver = isFinal(state);
    const next = Math.max(decided, this.#held.get(id)?.end?.n ?? -1) + 1;
    const overdueAtMs = segmentStartMs(next + 1, originMs) + OVERDUE_MS;
    if (!isOver && clock.nowMs() < overdueAtMs - ASK_EARLY_MS) return undefined;
    return index.settle(id, { originMs, isOver, endNumber: endOf(recording, originMs) });
  }

  /** The playlist being served, as it stands; undefined before the first segment. What is in it never changes. */
  async findServed(recording: Recording): Promise<GrowingPlaylist | undefined> {
    const { id, originMs } = recording;
    if (originMs === null) return undefined;
    const settled = await this.settle(recording);
    const entries = await this.#options.entries.read(id, settled?.count);
    const [first] = entries;
    if (first === undefined) return undefined;
    const held = this.#held.get(id) ?? startPlaylist(first, 'EVENT');
    const { lines, end } = planSegments(entries.slice(held.entries), {
      originMs,
      folder: 'segments/',
      after: held.end,
      settledTo: settled?.last,
    });
    held.playlist.append(lines);
    held.end = end;
    held.entries = entries.length;
    this.#keep(id, held);
    return held.playlist;
  }

  /** The final playlist of a recording that is over: all its media, also what came late. Undefined when there is none. */
  async findFinal(recording: Recording): Promise<GrowingPlaylist | undefined> {
    const entries = await this.#options.index.readAll(recording.id);
    const [first] = entries;
    const plan = planFinalPlaylist(entries, recording);
    if (first === undefined || plan === undefined) return undefined;
    const key = `${recording.id}/final`;
    const known = this.#held.get(key);
    const held = known?.entries === entries.length ? known : startPlaylist(first, 'VOD');
    if (held !== known) {
      held.playlist.append(plan.segments);
      held.entries = entries.length;
    }
    this.#keep(key, held);
    return held.playlist;
  }

  forget(recordingId: string): void {
    this.#held.delete(recordingId);
    this.#held.delete(`${recordingId}/final`);
  }

  #keep(key: string, held: Held): void {
    this.#held.delete(key);
    this.#held.set(key, held);
    let bytes = 0;
    for (const { playlist } of this.#held.values()) bytes += playlist.heldBytes;
    for (const [oldest, { playlist }] of this.#held) {
      if (bytes <= this.#options.maxHeldBytes) return;
      if (oldest === key) continue;
      this.#held.delete(oldest);
      bytes -= playlist.heldBytes;
    }
  }
}

function startPlaylist({ n }: SegmentEntry, type: 'EVENT' | 'VOD'): Held {
  return { playlist: new GrowingPlaylist({ type, mediaSequence: n }), entries: 0, end: undefined };
}

/** The number that a recording will not have any more: it ends at the boundary after its stop, or at its longest. */
function endOf(recording: Recording, originMs: number): number {
  const { stopRequestedAtMs, history, settings } = recording;
  const stopping = history.find(({ state }) => state === 'stopping');
  const stopMs =
    stopRequestedAtMs ?? stopping?.atMs ?? originMs + settings.maxDurationMs + SEGMENT_MS;
  return Math.max(0, segmentAt(boundaryAtOrAfter(stopMs), originMs));
}
