import { DEFAULT_PTS_ORIGIN_90K, SEGMENT_MS, TICKS_PER_SECOND } from '../../src/model/grid.ts';
import { readBarcodes } from '../support/barcode-reader.ts';
import type { RecordedPage } from '../support/record-page.ts';

/** What a recording of the barcode page says about its pictures. */
export type PictureFigures = {
  /** Of each whole segment: how far its pictures lie from the clock they show, in the middle, frames. */
  readonly clockErrors: readonly number[];
  /** Share of the slots that show a picture of their own, from the first to the last picture of whole segments. */
  readonly slotsFilled: number;
  readonly outOfOrder: number;
};

/** Reads them back from the recorded pictures alone; the first and last segment, partly silent and still, are left out. */
export async function measurePictures(
  recorded: RecordedPage,
  fps: number,
): Promise<PictureFigures> {
  const codes = await readBarcodes(recorded.playlist);
  const bySegment = new Map<number, number[]>();
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
    if (!isNew || n <= 0 || n >= last) continue;
    newPictures += 1;
    const errorMs = recorded.originMs + atMs - code.clockMs;
    bySegment.set(n, [...(bySegment.get(n) ?? []), errorMs]);
  }
  const slots = Math.max(0, last - 1) * ((fps * SEGMENT_MS) / 1000);
  return {
    clockErrors: [...bySegment.values()].map((errors) => (Math.abs(middle(errors)) * fps) / 1000),
    slotsFilled: (100 * newPictures) / slots,
    outOfOrder,
  };
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
