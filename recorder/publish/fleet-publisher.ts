import { rm } from 'node:fs/promises';
import { ChalkreelError } from '../../src/errors.ts';
import { delay } from '../../src/lifecycle.ts';
import type { Log } from '../../src/log.ts';
import type { SegmentEntry } from '../../src/model/segment.ts';
import { objectKeys } from '../../src/storage/keys.ts';
import type { ObjectStore } from '../../src/storage/objects/object-store.ts';
import type { SegmentIndex } from '../../src/storage/index/segment-index.ts';
import type { PublishResult, SegmentPublisher } from './publisher.ts';
import type { ClosedSegment } from './segmenter.ts';

const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 5_000;
/** While the other lane may still bring a segment, it is asked for this often. */
const TURN_POLL_MS = 400;

export type FleetPublisherOptions = {
  readonly recordingId: string;
  readonly lane: number;
  readonly epoch: number;
  readonly store: ObjectStore;
  readonly segments: SegmentIndex;
  /** The fleet's time, Unix ms. */
  readonly nowMs: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /**
   * Resolves while the lane's lease is known to be ours, waits while that cannot be known, throws `ownership-lost` when it is not. Default:
   * nothing is asked, and the index alone is the fence.
   */
  readonly confirmOwnership?: () => Promise<void>;
  /** The recording's origin, where two lanes are made: a segment is brought by the one whose turn it is. */
  readonly sharedOriginMs?: () => number;
  /** After an entry was listed, and before its file is forgotten; repeated, with the append, when it throws. */
  readonly onAppended?: (entry: SegmentEntry) => Promise<void>;
};

/**
 * Publishes to the object store and then to the index, in that order, so that nothing is listed before it is durable.
 * Trouble with either is retried for as long as it takes: the spool holds. Throws `ownership-lost` when somebody
 * else records under a newer epoch.
 */
export function openFleetPublisher(options: FleetPublisherOptions): SegmentPublisher {
  return {
    publish: async (segment) => {
      for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, MAX_RETRY_MS)) {
        try {
          return await publishOnce(segment, options);
        } catch (error) {
          if (error instanceof ChalkreelError && error.code === 'ownership-lost') throw error;
          options.signal.throwIfAborted();
          options.log.warn({ event: 'publish-retried', n: segment.n, waitMs, err: error });
          await delay(waitMs, options.signal);
        }
      }
    },
  };
}

async function publishOnce(
  segment: ClosedSegment,
  options: FleetPublisherOptions,
): Promise<PublishResult> {
  const { recordingId, lane, epoch, store, segments } = options;
  const { n, file, bytes, codecHash } = segment;
  await options.confirmOwnership?.();
  if (!(await waitForTurn(segment, options))) {
    await rm(file, { force: true });
    return 'superseded';
  }
  const object = objectKeys.segment(recordingId, { n, lane, epoch });
  // A try before this one may have stored it: the name is ours alone.
  if ((await store.find(object)) === undefined) await store.putOnce(object, { file });
  await options.confirmOwnership?.();
  const entry: SegmentEntry = {
    n,
    lane,
    epoch,
    place: { object, offset: 0, length: bytes },
    codecHash,
    publishedAtMs: Math.round(options.nowMs()),
    ...(segment.spanMs === undefined ? {} : { spanMs: segment.spanMs }),
  };
  const result = await segments.append(recordingId, entry);
  if (result.appended) await options.onAppended?.(entry);
  else {
    await store.delete(object);
    if (result.reason === 'stale-epoch') {
      throw new ChalkreelError('ownership-lost', `another worker records ${recordingId} now`);
    }
  }
  await rm(file, { force: true });
  return result.appended ? 'published' : 'superseded';
}

/** False when the number stands already. */
async function waitForTurn(
  { n }: ClosedSegment,
  { recordingId, lane, segments, sharedOriginMs, signal, ...options }: FleetPublisherOptions,
): Promise<boolean> {
  if (sharedOriginMs === undefined) return true;
  for (;;) {
    const turn = await segments.askTurn(recordingId, { n, lane }, sharedOriginMs());
    if (turn !== 'wait') return turn === 'go';
    await delay(TURN_POLL_MS, signal);
    await options.confirmOwnership?.();
  }
}
