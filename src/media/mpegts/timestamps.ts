import { PTS_MODULUS } from '../../model/grid.ts';

/** Bytes a PTS takes in a PES header. */
export const PTS_BYTES = 5;
/** Bytes a PCR takes in an adaptation field. */
export const PCR_BYTES = 6;

/** A time on the 33-bit clock of 90 kHz, wrapped into [0, 2^33); takes anything above −2^33. */
export function wrap90k(ticks: number): number {
  return (ticks + PTS_MODULUS) % PTS_MODULUS;
}

/** Writes a PTS that stands alone, prefix `0010` (ISO/IEC 13818-1 §2.4.3.6), 5 bytes. */
export function writePts(out: Buffer, at: number, pts90k: number): void {
  const low30 = pts90k % 2 ** 30;
  out[at] = 0x21 | (Math.floor(pts90k / 2 ** 30) << 1);
  out.writeUInt16BE(((low30 >>> 15) << 1) | 1, at + 1);
  out.writeUInt16BE(((low30 & 0x7fff) << 1) | 1, at + 3);
}

/** Reads a PTS or DTS, 5 bytes; undefined when a marker bit is missing. */
export function readPts(bytes: Buffer, at: number): number | undefined {
  const top = bytes.readUInt8(at);
  const middle = bytes.readUInt16BE(at + 1);
  const low = bytes.readUInt16BE(at + 3);
  if ((top & middle & low & 1) === 0) return undefined;
  return ((top >> 1) & 7) * 2 ** 30 + (middle >> 1) * 2 ** 15 + (low >> 1);
}

/** Writes a PCR with extension 0 (ISO/IEC 13818-1 §2.4.3.4), 6 bytes. */
export function writePcr(out: Buffer, at: number, base90k: number): void {
  out.writeUInt32BE(Math.floor(base90k / 2), at);
  // The base's last bit, six reserved bits, and the top bit of the extension.
  out[at + 4] = ((base90k % 2) << 7) | 0x7e;
  out[at + 5] = 0;
}
