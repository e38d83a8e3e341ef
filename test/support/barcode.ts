/** What the barcode page's bars say. */
export type BarcodeContent = {
  /** Counts the drawn frames from 0, modulo 2^24. */
  readonly frameNumber: number;
  /** The page's wall clock when it drew, Unix ms. */
  readonly clockMs: number;
};

/** Cells in a row, and rows: 24 bits of number, 48 of clock, 16 of CRC, 8 of a fixed mark. */
export const BARCODE_COLUMNS = 32;
export const BARCODE_ROWS = 3;
/** The bars fill the upper sixth of the picture, in its whole width: 40 × 40 px a cell at 720p. */
export const BARCODE_REGION = { x: 0, y: 0, width: 1, height: 1 / 6 } as const;

/** Between black (16 to 0) and white (235 to 255), whichever range the decoder gives out. */
const WHITE_FROM = 126;
const PAYLOAD_BITS = 72;

/**
 * The bars' bits, row by row, 1 being white. Self-contained, because its text is also sent to the page:
 * payload, CRC-16/CCITT over the payload, and a mark that neither a black nor a white picture has.
 */
export function encodeBarcode(content: BarcodeContent): number[] {
  const bits: number[] = [];
  const push = (value: number, count: number): void => {
    for (let i = count - 1; i >= 0; i--) bits.push(Math.floor(value / 2 ** i) % 2);
  };
  push(content.frameNumber, 24);
  push(content.clockMs, 48);
  let crc = 0xffff;
  for (const bit of bits) {
    const feedback = ((crc >> 15) & 1) ^ bit;
    crc = ((crc << 1) & 0xffff) ^ (feedback === 1 ? 0x1021 : 0);
  }
  push(crc, 16);
  push(0b10110010, 8);
  return bits;
}

/** What the cells' luma says; undefined when they are not a whole, undamaged barcode. */
export function decodeBarcode(cells: Uint8Array): BarcodeContent | undefined {
  const bits = Array.from(cells, (luma) => (luma >= WHITE_FROM ? 1 : 0));
  const number = (from: number, to: number): number =>
    bits.slice(from, to).reduce<number>((value, bit) => value * 2 + bit, 0);
  const content = { frameNumber: number(0, 24), clockMs: number(24, PAYLOAD_BITS) };
  const intact = encodeBarcode(content).every((bit, i) => bit === bits[i]);
  return intact && bits.length === BARCODE_COLUMNS * BARCODE_ROWS ? content : undefined;
}
