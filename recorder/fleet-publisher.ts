import { rm } from 'node:fs/promises';
import { ChalkreelError } from '../src/errors.ts';
import { delay } from '../src/lifecycle.ts';
import type { Log } from '../src/log.ts';
import { objectKeys } from '../src/storage/keys.ts';
import type { ObjectStore } from '../src/storage/object-store.ts';
import type { SegmentIndex } from '../src/storage/segment-index.ts';
import type { SegmentPublisher } from './publisher.ts';
import type { ClosedSegment } from './segmenter.ts';

const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 5_000;

export type FleetPublisherOptions = {
  readonly recordingId: string;
  readonly lane: number;
  readonly epoch: number;
  readonly store: ObjectStore;
  readonly segments: SegmentIndex;
  readonly log: Log;
  readonly signal: AbortSignal;
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
          await publishOnce(segment, options);
          return;
        } catch (error) {
          if (error instanceof ChalkreelError && error.code === 'ownership-lost') throw error;
          options.log.warn({ event: 'publish-retried', n: segment.n, waitMs, err: error });
          await delay(waitMs, options.signal);
        }
      }
    },
  };
}

async function publishOnce(segment: ClosedSegment, options: FleetPublisherOptions): Promise<void> {
  const { recordingId, lane, epoch, store, segments } = options;
  const { n, file, bytes, codecHash } = segment;
  const object = objectKeys.segment(recordingId, { n, lane, epoch });
  // A try before this one may have stored it: the name is ours alone.
  if ((await store.find(object)) === undefined) await store.putOnce(object, { file });
  const result = await segments.append(recordingId, {
    n,
    lane,
    epoch,
    place: { object, offset: 0, length: bytes },
    codecHash,
    publishedAtMs: Date.now(),
  });
  if (!result.appended) {
    await store.delete(object);
    if (result.reason === 'stale-epoch') {
      throw new ChalkreelError('ownership-lost', `another worker records ${recordingId} now`);
    }
  }
  await rm(file, { force: true });
}
