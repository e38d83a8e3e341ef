import { ChalkreelError } from '../../errors.ts';
import type { ParameterSets } from '../h264.ts';

const BOX_HEADER_BYTES = 8;

/** The parameter sets of an `avcC` box whose NAL lengths are 4 bytes (ISO/IEC 14496-15 §5.3.3.1). Throws `media-invalid`. */
export function readAvcC(box: Uint8Array): ParameterSets {
  const record = Buffer.from(box.buffer, box.byteOffset, box.length).subarray(BOX_HEADER_BYTES);
  try {
    if ((record.readUInt8(4) & 3) !== 3) throw new RangeError('NAL lengths are not 4 bytes');
    let at = 5;
    const readList = (mask: number): Uint8Array[] => {
      const count = record.readUInt8(at++) & mask;
      return Array.from({ length: count }, () => {
        const length = record.readUInt16BE(at);
        at += 2 + length;
        if (at > record.length) throw new RangeError('a parameter set is cut off');
        return record.subarray(at - length, at);
      });
    };
    return { sps: readList(0x1f), pps: readList(0xff) };
  } catch (cause) {
    throw new ChalkreelError('media-invalid', `Expected a whole avcC: ${String(cause)}`, { cause });
  }
}
