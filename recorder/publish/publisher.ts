import type { ClosedSegment } from './segmenter.ts';

/** `superseded`: another worker's segment stands for the number; nothing of this one is kept. */
export type PublishResult = 'published' | 'superseded';

/**
 * Where closed segments go. `publish` is called in order of number and may be repeated for one segment; when it resolves, the segment
 * is durable there and listed, or superseded, and the spool's file is gone.
 */
export type SegmentPublisher = {
  publish(segment: ClosedSegment): Promise<PublishResult>;
};
