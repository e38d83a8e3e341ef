import type { SegmentEntry } from '../model/segment.ts';
import type { SegmentIndex } from '../storage/index/segment-index.ts';

/** About 300 bytes each: 150 MB at the bound. A 24 h class has 54 000. */
const MAX_CACHED_ENTRIES = 500_000;

type Cached = {
  entries: SegmentEntry[];
  byNumber: Map<number, SegmentEntry>;
  reading: Promise<void> | undefined;
};

/** A recording's entries without reading them all again: they never change, so only what was appended is asked for. */
export class EntryCache {
  readonly #index: SegmentIndex;
  /** Least recently used first. */
  readonly #recordings = new Map<string, Cached>();

  constructor(index: SegmentIndex) {
    this.#index = index;
  }

  /**
   * All entries up to now, in order; at least so many as are known to be there, though a reading that began before may be shared. The
   * array grows later: do not keep it.
   */
  async read(recordingId: string, atLeast = 0): Promise<readonly SegmentEntry[]> {
    const cached = this.#touch(recordingId);
    await this.#share(recordingId, cached);
    if (cached.entries.length < atLeast) await this.#share(recordingId, cached);
    this.#evict(recordingId);
    return cached.entries;
  }

  /** The entry of one number, also one out of order; asks the index only when it is not known yet, and then for this one alone. */
  async find(recordingId: string, n: number): Promise<SegmentEntry | undefined> {
    const known = this.#recordings.get(recordingId)?.byNumber.get(n);
    if (known !== undefined) return known;
    const [found] = (await this.#index.readNumbers(recordingId, n, n)).entries;
    return found ?? (await this.#index.readAside(recordingId)).find((entry) => entry.n === n);
  }

  forget(recordingId: string): void {
    this.#recordings.delete(recordingId);
  }

  #share(recordingId: string, cached: Cached): Promise<void> {
    cached.reading ??= this.#readOn(recordingId, cached).finally(() => {
      cached.reading = undefined;
    });
    return cached.reading;
  }

  async #readOn(recordingId: string, cached: Cached): Promise<void> {
    for (const entry of await this.#index.read(recordingId, cached.entries.length)) {
      cached.entries.push(entry);
      cached.byNumber.set(entry.n, entry);
    }
  }

  #touch(recordingId: string): Cached {
    const cached = this.#recordings.get(recordingId) ?? {
      entries: [],
      byNumber: new Map<number, SegmentEntry>(),
      reading: undefined,
    };
    this.#recordings.delete(recordingId);
    this.#recordings.set(recordingId, cached);
    return cached;
  }

  #evict(inUse: string): void {
    let total = 0;
    for (const { entries } of this.#recordings.values()) total += entries.length;
    for (const [id, { entries }] of this.#recordings) {
      if (total <= MAX_CACHED_ENTRIES) return;
      if (id === inUse) continue;
      this.#recordings.delete(id);
      total -= entries.length;
    }
  }
}
