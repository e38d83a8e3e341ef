import { DEFAULT_PTS_ORIGIN_90K, SEGMENT_MS, TICKS_PER_SECOND } from '../../src/model/grid.ts';
import { readBarcodes } from '../support/barcode-reader.ts';
import type { RecordedPage } from '../support/record-page.ts';

/** Segments at the beginning in which page and Chrome are still starting: 3 to 5 s. */
const STARTING_SEGMENTS = 3;

/** What a recording of the barcode page says about its pictures. */
export type PictureFigures = {
  /** Of each whole segment: how far its pictures lie from the clock they show, in the middle, frames. */
  readonly clockErrors: readonly number[];
  /** Share of the slots for which the page drew, percent: below 100 the load generator itself starved. */
  readonly slotsDrawn: number;
  /** Share of what it drew that has a slot of its own, percent. */
  readonly slotsFilled: number;
  readonly outOfOrder: number;
};

/** Reads them back from the recorded pictures alone; the first segments, and the last, which may end early, are left out. */
export async function measurePictures(
  recorded: RecordedPage,
  fps: number,
): Promise<PictureFigures> {
  const codes = await readBarcodes(recorded.playlist);
  const bySegment = new Map<number, number[]>();
  const drawn = { first: Infinity, last: -Infinity };
  const last = recorded.segments.length - 1;
  let newPictures = 0;
  let outOfOrder = 0;
  let shown = -1;
  for (const code of codes) {
    if (!code.valid) continue;
    const atMs = code.ptsS * 1000 - (DEFAULT_PTS_ORIGIN_90K * 1000) / TICKS_PER_SECOND;
    const n = Math.floor(atMs / SEGMENT_MS + 1e-6);
    if (code.frameNumber < shown) outOfOrder += 1;
    const isNew = code.frameNumber > shown;
    shown = Math.max(shown, code.frameNumber);
    if (!isNew || n < STARTING_SEGMENTS || n >= last) continue;
    newPictures += 1;
    drawn.first = Math.min(drawn.first, code.frameNumber);
    drawn.last = Math.max(drawn.last, code.frameNumber);
    const errorMs = recorded.originMs + atMs - code.clockMs;
    bySegment.set(n, [...(bySegment.get(n) ?? []), errorMs]);
  }
  const slots = Math.max(0, last - STARTING_SEGMENTS) * ((fps * SEGMENT_MS) / 1000);
  const drawnCount = drawn.last - drawn.first + 1;
  return {
    clockErrors: [...bySegment.values()].map((errors) => (Math.abs(middle(errors)) * fps) / 1000),
    slotsDrawn: (100 * drawnCount) / slots,
    slotsFilled: (100 * newPictures) / drawnCount,
    outOfOrder,
  };
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
