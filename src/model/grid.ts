/**
 * The segment grid fixed to the wall clock: the one idea everything else follows from.
 * All arithmetic is in integers; nothing is accumulated, so nothing drifts.
 */

/** Length of every segment, ms. */
export const SEGMENT_MS = 1600;
/** Length of every segment in ticks of 90 kHz. */
export const SEGMENT_TICKS = 144_000;
/** Ticks of the MPEG-TS clock per second (ISO/IEC 13818-1 §2.4.3.7). */
export const TICKS_PER_SECOND = 90_000;
/** PTS, DTS and PCR base are 33 bits wide (ISO/IEC 13818-1 §2.4.3.7). */
export const PTS_MODULUS = 2 ** 33;
/** First PTS of segment 0 unless a test moves it: 10 s. */
export const DEFAULT_PTS_ORIGIN_90K = 900_000;

/** Sound is always 48 kHz stereo: 44.1 kHz has no frame grid on 1.6 s. */
export const SAMPLE_RATE = 48_000;
export const SAMPLES_PER_MS = 48;
export const SAMPLES_PER_SEGMENT = 76_800;
/** Samples one AAC-LC frame outputs (ISO/IEC 14496-3). */
export const AAC_FRAME_SAMPLES = 1024;
export const AAC_FRAMES_PER_SEGMENT = 75;
/** Ticks of 90 kHz one AAC frame lasts: 1920 exactly. */
export const AAC_FRAME_TICKS = 1920;

/** The frame rates with a whole number of slots in a segment and of ticks in a slot. */
export const GRID_FPS = [10, 15, 20, 25, 30, 50, 60] as const;
export type GridFps = (typeof GRID_FPS)[number];

export function isGridFps(fps: number): fps is GridFps {
  return (GRID_FPS as readonly number[]).includes(fps);
}

/** The last segment boundary at or before a time, both Unix ms. */
export function boundaryAtOrBefore(unixMs: number): number {
  return Math.floor(unixMs / SEGMENT_MS) * SEGMENT_MS;
}

/** The first segment boundary at or after a time, both Unix ms. */
export function boundaryAtOrAfter(unixMs: number): number {
  return Math.ceil(unixMs / SEGMENT_MS) * SEGMENT_MS;
}

/** The number of the segment that contains a time, both times in Unix ms. Negative before `originMs`. */
export function segmentAt(unixMs: number, originMs: number): number {
  return Math.floor((unixMs - originMs) / SEGMENT_MS);
}

/** Start of segment `n`, Unix ms. */
export function segmentStartMs(n: number, originMs: number): number {
  return originMs + SEGMENT_MS * n;
}

/** First PTS of segment `n`, ticks of 90 kHz modulo 2^33. */
export function segmentPts90k(n: number, ptsOrigin90k = DEFAULT_PTS_ORIGIN_90K): number {
  return (ptsOrigin90k + SEGMENT_TICKS * n) % PTS_MODULUS;
}

/** Video slots in a segment: 16 to 96. */
export function slotsPerSegment(fps: GridFps): number {
  return (fps * SEGMENT_MS) / 1000;
}

/** Length of a video slot in ticks of 90 kHz. */
export function slotTicks(fps: GridFps): number {
  return TICKS_PER_SECOND / fps;
}
