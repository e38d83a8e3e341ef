import { findIndexedMedia } from '../src/media/mpegts/indexed-segment-reader.ts';
import { readSegment } from '../src/media/mpegts/segment-reader.ts';
import { AAC_FRAME_TICKS, PTS_MODULUS } from '../src/model/grid.ts';
import type { CutSegment } from './cut-plan.ts';

/** A segment taken apart: what a cut plans with, and the media it copies. */
export type SegmentMedia = {
  readonly n: number;
  readonly pictures: readonly {
    readonly offset90k: number;
    readonly isKey: boolean;
    /** Annex B access unit. */
    readonly data: Uint8Array;
  }[];
  /** Raw AAC frames, contiguous from the segment's start. */
  readonly audio: readonly Uint8Array[];
  /** Taken apart by its own access-unit index; else its packets were parsed. */
  readonly isIndexed: boolean;
};

/**
 * Takes segment `n` apart, by its access-unit index where it has one that is true, else by parsing it. Times are relative to its first picture, which lies on the boundary by the grid's rule, so neither the
 * recording's PTS origin nor a wrap of the 33 bits matters. Throws what `readSegment` throws.
 */
export function takeApart(n: number, bytes: Uint8Array): SegmentMedia {
  const indexed = findIndexedMedia(bytes);
  const { pictures, audioFrames } = indexed ?? readSegment(bytes);
  const start = pictures[0]?.pts90k ?? audioFrames[0]?.pts90k ?? 0;
  const offset = (pts90k: number): number => (pts90k - start + PTS_MODULUS) % PTS_MODULUS;
  const audioEnd = audioFrames.findIndex(
    (frame, index) => offset(frame.pts90k) !== index * AAC_FRAME_TICKS,
  );
  return {
    n,
    pictures: pictures.map(({ pts90k, isKey, data }) => ({
      offset90k: offset(pts90k),
      isKey,
      data,
    })),
    audio: audioFrames
      .slice(0, audioEnd === -1 ? audioFrames.length : audioEnd)
      .map(({ data }) => data),
    isIndexed: indexed !== undefined,
  };
}

/** The same segment, as far as a plan needs to know. */
export function toCutSegment({ n, pictures, audio }: SegmentMedia): CutSegment {
  return { n, pictures, audioFrames: audio.length };
}
