import type { ReencodeQuality } from '../../model/reencode.ts';

/** How like its source one picture is. */
export type PictureQuality = {
  /** From the first picture, ms. */
  readonly atMs: number;
  /** SSIM of luma, 0 to 1. */
  readonly ssimY: number;
};

/** How like their source many pictures are, each counting once; times are ms from the first picture. */
export type Quality = ReencodeQuality & {
  readonly pictures: number;
  /** Those within two of a seam. */
  readonly seamPictures: number;
};

/** Pictures before a seam, and from it on, that count as its own. */
const PICTURES_BESIDE_SEAM = 2;
/** ffmpeg writes six decimals: beyond 60 dB, and of equal pictures, nothing can be told. */
const MAX_DB = 60;
/** A picture begins a chunk if it is at most so much before the seam, ms: container times may be rounded to whole ms. */
const ROUNDING_MS = 1;

/** SSIM as decibels of what it lacks of 1, as ffmpeg says it: 0.9 is 10 dB, 0.99 is 20 dB; at most 60. */
export function toDb(ssim: number): number {
  return ssim >= 1 ? MAX_DB : Math.min(MAX_DB, -10 * Math.log10(1 - ssim));
}

/**
 * Sums up pictures in order of time. `seamsMs`: where chunks begin, ms from the first picture; one behind the last picture stands for the chunk that would
 * follow. Throws a RangeError without a picture.
 */
export function summarizeQuality(
  pictures: readonly PictureQuality[],
  seamsMs: readonly number[] = [],
): Quality {
  const [first] = pictures;
  if (first === undefined) throw new RangeError('Expected a picture to be judged, got none.');
  const worst = pictures.reduce(
    (low, picture) => (picture.ssimY < low.ssimY ? picture : low),
    first,
  );
  const beside = besideSeams(pictures, seamsMs);
  return {
    pictures: pictures.length,
    ssimDb: toDb(mean(pictures)),
    worstFrameDb: toDb(worst.ssimY),
    worstFrameAtMs: worst.atMs,
    seamPictures: beside.length,
    seamSsimDb: beside.length === 0 ? null : toDb(mean(beside)),
  };
}

/** Each picture once, however near seams are to each other. */
function besideSeams(
  pictures: readonly PictureQuality[],
  seamsMs: readonly number[],
): readonly PictureQuality[] {
  const counted = new Set<number>();
  for (const seamMs of seamsMs) {
    const found = firstFrom(pictures, seamMs - ROUNDING_MS);
    for (let i = found - PICTURES_BESIDE_SEAM; i < found + PICTURES_BESIDE_SEAM; i++) {
      counted.add(i);
    }
  }
  return pictures.filter((_, i) => counted.has(i));
}

/** Index of the first picture at or after a time, by halving; their number when there is none. */
function firstFrom(pictures: readonly PictureQuality[], ms: number): number {
  let [low, high] = [0, pictures.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((pictures[middle]?.atMs ?? Infinity) >= ms) high = middle;
    else low = middle + 1;
  }
  return low;
}

function mean(pictures: readonly PictureQuality[]): number {
  return pictures.reduce((sum, { ssimY }) => sum + ssimY, 0) / pictures.length;
}
