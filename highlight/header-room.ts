import { AAC_FRAME_SAMPLES, SAMPLES_PER_MS, SEGMENT_MS } from '../src/model/grid.ts';
import type { CutWindow } from './cut-plan.ts';

/** Boxes whose size does not depend on how long a clip is: less than 2000 bytes, names and parameter sets included. */
const FIXED_BYTES = 4096;
/** stsz, stts and stss: no picture needs more. */
const BYTES_PER_PICTURE = 4 + 8 + 4;
const BYTES_PER_FRAME = 4;
/** A chunk of either track in co64 and stsc. */
const BYTES_PER_BLOCK = 2 * (8 + 12);

/**
 * Bytes kept free at a clip's start for its header, so that media can be written before the header is known: enough whatever the clip holds.
 * It follows from the window alone, so that equal clips are equal files.
 */
export function headerRoom({ startMs, endMs }: CutWindow, fps: number): number {
  const durationMs = endMs - startMs;
  const pictures = Math.ceil((durationMs * fps) / 1000) + 2;
  const frames = Math.ceil((durationMs * SAMPLES_PER_MS) / AAC_FRAME_SAMPLES) + 2;
  const blocks = Math.ceil(durationMs / SEGMENT_MS) + 1;
  return (
    FIXED_BYTES + pictures * BYTES_PER_PICTURE + frames * BYTES_PER_FRAME + blocks * BYTES_PER_BLOCK
  );
}
