import type { Redis } from 'ioredis';
import { asChalkreelError, ChalkreelError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Highlight } from '../../model/highlight.ts';
import { NO_PROGRESS, type RecordingProgress } from '../../model/progress.ts';
import { isFinal, type Recording } from '../../model/recording.ts';
import type { QualityReport } from '../../model/report.ts';
import type { Favourite } from '../records/favourite-repository.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { readStoredIndex, restoreIndex } from './rebuild-index.ts';
import type { RedisFavouriteRepository } from '../records/redis-favourite-repository.ts';
import type { RedisHighlightRepository } from '../records/redis-highlight-repository.ts';
import { redisKeys } from '../redis-keys.ts';
import type { RedisRecordingRepository } from '../records/redis-recording-repository.ts';
import type { RedisShareRepository } from '../records/redis-share-repository.ts';
import type { Share } from '../records/share-repository.ts';
import { findStoredHighlight, isHighlightStored } from '../records/stored-highlight.ts';

export type RestorerParts = {
  readonly redis: Redis;
  readonly store: ObjectStore;
  readonly recordings: RedisRecordingRepository;
  readonly highlights: RedisHighlightRepository;
  readonly shares: RedisShareRepository;
  readonly favourites: RedisFavouriteRepository;
  readonly log: Log;
};

/**
 * Brings single recordings and highlights back from the store, with all that belongs to them, into a Redis that has lost them. What Redis has
 * is left as it is, so everything may be repeated, by several at once. `fence` is explained in rebuild-fence.ts.
 */
export class Restorer {
  readonly #parts: RestorerParts;

  constructor(parts: RestorerParts) {
    this.#parts = parts;
  }

  /** The recording as the store has it, back in Redis with its index, highlights and shares; undefined when the store has none. */
  async restoreRecording(id: string, fence: string): Promise<Recording | undefined> {
    const { redis, recordings, store } = this.#parts;
    const recording = await this.#readJson<Recording>(objectKeys.recording(id));
    if (recording === undefined) return undefined;
    // Last of all, so that a record that is there has everything.
    if ((await redis.exists(redisKeys.recording(id))) === 1) return recording;
    await this.#restoreIndex(id, fence);
    for (const folder of [objectKeys.highlightsOf(id), objectKeys.formerHighlightsOf(id)]) {
      for await (const { key } of store.list(folder)) {
        await this.restoreHighlight(key.slice(folder.length), fence);
      }
    }
    await this.#restoreShares(objectKeys.sharesOf({ kind: 'recording', targetId: id }));
    const progress = await this.#findProgress(recording);
    const isBack = await recordings.restore(recording, { fence, progress });
    // Deleted while it was read: nothing may bring it back.
    if (isBack && (await store.find(objectKeys.recording(id))) === undefined) {
      await recordings.delete(id);
    }
    return recording;
  }

  /** Whether Redis has the highlight. */
  async knowsHighlight(id: string): Promise<boolean> {
    return (await this.#parts.redis.exists(redisKeys.highlight(id))) === 1;
  }

  /** The highlight as the store has it, back in Redis with its favourites and shares; undefined when the store has none. */
  async restoreHighlight(id: string, fence: string): Promise<Highlight | undefined> {
    const { highlights, favourites, store } = this.#parts;
    const highlight = await this.findHighlight(id);
    if (highlight === undefined) return undefined;
    if (await this.knowsHighlight(id)) return highlight;
    for await (const { key } of store.list(objectKeys.favourites(id))) {
      const favourite = await this.#readJson<Favourite>(key);
      if (favourite !== undefined) await favourites.restore(favourite, highlight);
    }
    await this.#restoreShares(objectKeys.sharesOf({ kind: 'highlight', targetId: id }));
    const isBack = await highlights.restore(highlight, { fence });
    if (isBack && !(await isHighlightStored(store, id))) await highlights.delete(id);
    return highlight;
  }

  /** The highlight as the store has it; undefined when it has none. */
  findHighlight(id: string): Promise<Highlight | undefined> {
    const { store } = this.#parts;
    return this.#unlessBroken(objectKeys.highlight(id), () => findStoredHighlight(store, id));
  }

  async #restoreIndex(id: string, fence: string): Promise<void> {
    const { redis, store, log } = this.#parts;
    try {
      const plan = await readStoredIndex(store, id);
      await restoreIndex(redis, id, { plan, fence });
    } catch (error) {
      if (!(error instanceof ChalkreelError) || error.code !== 'journal-broken') throw error;
      // One recording that cannot be read must not keep all others away.
      log.error({ event: 'index-not-restored', recordingId: id, err: error });
    }
  }

  async #restoreShares(folder: string): Promise<void> {
    for await (const { key } of this.#parts.store.list(folder)) {
      const share = await this.#readJson<Share>(key);
      if (share !== undefined) await this.#parts.shares.restore(share);
    }
  }

  /** The numbers of a recording that is over are in its report. */
  async #findProgress({ id, state }: Recording): Promise<RecordingProgress | undefined> {
    if (!isFinal(state)) return undefined;
    const report = await this.#readJson<QualityReport>(objectKeys.report(id));
    if (report === undefined) return undefined;
    const keys = Object.keys(NO_PROGRESS) as (keyof RecordingProgress)[];
    return Object.fromEntries(keys.map((key) => [key, report[key]])) as RecordingProgress;
  }

  /** A record as we wrote it; undefined when it is gone, or broken, which is logged. */
  #readJson<T>(key: string): Promise<T | undefined> {
    return this.#unlessBroken(
      key,
      async () => JSON.parse((await this.#parts.store.read(key)).toString()) as T,
    );
  }

  async #unlessBroken<T>(key: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (asChalkreelError(error).code === 'object-not-found') return undefined;
      if (!(error instanceof SyntaxError)) throw error;
      this.#parts.log.error({ event: 'record-broken', object: key, err: error });
      return undefined;
    }
  }
}
