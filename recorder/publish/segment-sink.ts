import type { PublishedCounts } from './publish-queue.ts';
import type { ClosedSegment } from './segmenter.ts';

/** Where a run's closed segments go, in order of number. */
export type SegmentSink = {
  add(segment: ClosedSegment): void;
  readonly published: PublishedCounts;
  /** Resolves when all that was added is published. */
  settled(): Promise<void>;
};
