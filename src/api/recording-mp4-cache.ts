import type { Recording } from '../model/recording.ts';
import type { SegmentEntry } from '../model/segment.ts';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import { planRecordingMp4, type RecordingMp4 } from '../storage/recording-mp4.ts';
import type { SegmentIndex } from '../storage/index/segment-index.ts';
import type { EntryCache } from './entry-cache.ts';

/** A class of 24 h takes 55 MB. */
const MAX_HELD_BYTES = 128 * 1024 * 1024;

type Held = {
  /** Entries it was planned from: they are only ever added to. */
  readonly entries: number;
  readonly planned: Promise<RecordingMp4>;
  bytes: number;
};

/** Plans of recordings' MP4s, kept while they are played: a player asks for many ranges. */
export class RecordingMp4Cache {
  readonly #services: {
    readonly entries: EntryCache;
    readonly segments: SegmentIndex;
    readonly store: ObjectStore;
  };
  /** Least recently used first. */
  readonly #held = new Map<string, Held>();

  constructor(services: {
    readonly entries: EntryCache;
    readonly segments: SegmentIndex;
    readonly store: ObjectStore;
  }) {
    this.#services = services;
  }

  /** The file of a recording that is over, as it stands; undefined when nothing was recorded. */
  async find({ id, originMs }: Recording): Promise<RecordingMp4 | undefined> {
    const entries = await this.#readEntries(id);
    if (entries.length === 0 || originMs === null) return undefined;
    const known = this.#held.get(id);
    const held = known?.entries === entries.length ? known : this.#plan(entries, originMs);
    this.#keep(id, held);
    try {
      const mp4 = await held.planned;
      held.bytes = mp4.heldBytes;
      return mp4;
    } catch (error) {
      if (this.#held.get(id) === held) this.#held.delete(id);
      throw error;
    }
  }

  #plan(entries: readonly SegmentEntry[], originMs: number): Held {
    const { store } = this.#services;
    // A copy: the cached list grows.
    const planned = planRecordingMp4([...entries], { store, originMs });
    return { entries: entries.length, planned, bytes: 0 };
  }

  async #readEntries(id: string): Promise<readonly SegmentEntry[]> {
    const aside = await this.#services.segments.readAside(id);
    const inOrder = await this.#services.entries.read(id);
    if (aside.length === 0) return inOrder;
    const byNumber = new Map([...aside, ...inOrder].map((entry) => [entry.n, entry]));
    return [...byNumber.values()].sort((a, b) => a.n - b.n);
  }

  #keep(id: string, held: Held): void {
    this.#held.delete(id);
    this.#held.set(id, held);
    let bytes = 0;
    for (const other of this.#held.values()) bytes += other.bytes;
    for (const [oldest, other] of this.#held) {
      if (bytes <= MAX_HELD_BYTES) return;
      if (oldest === id) continue;
      this.#held.delete(oldest);
      bytes -= other.bytes;
    }
  }
}
