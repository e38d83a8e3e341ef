import {
  BARCODE_COLUMNS,
  BARCODE_REGION,
  BARCODE_ROWS,
  decodeBarcode,
  type BarcodeContent,
} from './barcode.ts';
import { readGrayFrames } from './gray-frames.ts';

/** One frame of a recording: its time in the container and what its bars say, if they can be read. */
export type ReadBarcode =
  | ({ readonly valid: true; readonly ptsS: number } & BarcodeContent)
  | { readonly valid: false; readonly ptsS: number };

/** Reads the barcode page back from every frame of a picture, film or playlist, in order of presentation. */
export async function readBarcodes(path: string): Promise<ReadBarcode[]> {
  const frames = await readGrayFrames(path, {
    region: BARCODE_REGION,
    columns: BARCODE_COLUMNS,
    rows: BARCODE_ROWS,
  });
  return frames.map(({ ptsS, cells }) => {
    const content = decodeBarcode(cells);
    return content === undefined ? { valid: false, ptsS } : { valid: true, ptsS, ...content };
  });
}
