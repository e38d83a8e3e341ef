import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BARCODE_COLUMNS,
  BARCODE_ROWS,
  decodeBarcode,
  encodeBarcode,
} from '../../support/barcode.ts';

const content = fc.record({
  frameNumber: fc.integer({ min: 0, max: 2 ** 24 - 1 }),
  clockMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
});
const picture = (bits: readonly number[]): Uint8Array => Uint8Array.from(bits, (bit) => bit * 255);

describe('barcode', () => {
  it('reads back every number and clock it can write', () => {
    fc.assert(
      fc.property(content, (written) => {
        const bits = encodeBarcode(written);
        expect(bits).toHaveLength(BARCODE_COLUMNS * BARCODE_ROWS);
        expect(decodeBarcode(picture(bits))).toEqual(written);
      }),
    );
  });

  it('is read alike in limited range and under noise', () => {
    const written = { frameNumber: 41, clockMs: 1_700_000_000_123 };
    const noisy = Uint8ClampedArray.from(
      encodeBarcode(written),
      (bit, i) => (bit === 1 ? 235 : 16) + ((i * 37) % 61) - 30,
    );
    expect(decodeBarcode(Uint8Array.from(noisy))).toEqual(written);
  });

  it('refuses a picture with one or two wrong cells', () => {
    const cell = fc.integer({ min: 0, max: BARCODE_COLUMNS * BARCODE_ROWS - 1 });
    fc.assert(
      fc.property(content, cell, cell, (written, a, b) => {
        const cells = picture(encodeBarcode(written));
        for (const i of new Set([a, b])) cells[i] = 255 - cells[i]!;
        expect(decodeBarcode(cells)).toBeUndefined();
      }),
    );
  });

  it('finds no barcode in black, white, gray or the wrong number of cells', () => {
    for (const luma of [0, 16, 128, 235, 255]) {
      expect(decodeBarcode(new Uint8Array(96).fill(luma))).toBeUndefined();
    }
    const bits = encodeBarcode({ frameNumber: 1, clockMs: 2 });
    expect(decodeBarcode(picture(bits.slice(0, 95)))).toBeUndefined();
    expect(decodeBarcode(picture([...bits, 0]))).toBeUndefined();
  });
});
