import type { ClosedSegment } from './segmenter.ts';

/**
 * Where closed segments go. `publish` is called in order of number and may be repeated for one segment; when it
 * resolves, the segment is durable there and listed, and the spool's file is gone.
 */
export type SegmentPublisher = {
  publish(segment: ClosedSegment): Promise<void>;
};
