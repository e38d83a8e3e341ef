/** NAL unit types in use here (ISO/IEC 14496-10 table 7-1). */
export const NAL = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, aud: 9, filler: 12 } as const;

/** One NAL unit, header byte included, as it stands in the stream. */
export type NalUnit = {
  readonly type: number;
  readonly refIdc: number;
  readonly bytes: Uint8Array;
};

const START_CODE = Buffer.from([0, 0, 1]);

/** Cuts an Annex B byte stream into the bytes of its NAL units; throws RangeError where it has none. */
export function splitByteStream(payload: Uint8Array): Uint8Array[] {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  let start = bytes.indexOf(START_CODE);
  if (start < 0) throw new RangeError('there is no start code');
  if (bytes.subarray(0, start).some((byte) => byte !== 0)) {
    throw new RangeError('there are bytes before the first start code');
  }
  const units: Uint8Array[] = [];
  while (start >= 0) {
    const next = bytes.indexOf(START_CODE, start + 3);
    units.push(trimZeros(bytes.subarray(start + 3, next < 0 ? bytes.length : next)));
    start = next;
  }
  return units;
}

/** Reads the header of one NAL unit and checks its bytes (§7.4.1); throws RangeError. */
export function readNalUnit(bytes: Uint8Array): NalUnit {
  const header = bytes[0];
  if (header === undefined) throw new RangeError('a NAL unit is empty');
  if (header & 0x80) throw new RangeError('forbidden_zero_bit is set');
  checkPatterns(bytes);
  const [type, refIdc] = [header & 0x1f, (header >> 5) & 3];
  const known: readonly number[] = Object.values(NAL);
  if (!known.includes(type)) throw new RangeError(`NAL unit type ${type} has no place here`);
  const needsRef = type === NAL.idr || type === NAL.sps || type === NAL.pps;
  const refusesRef = type === NAL.sei || type === NAL.aud || type === NAL.filler;
  if ((needsRef && refIdc === 0) || (refusesRef && refIdc !== 0)) {
    throw new RangeError(`nal_ref_idc is ${refIdc} in a NAL unit of type ${type}`);
  }
  return { type, refIdc, bytes };
}

/** The payload of a NAL unit without its header and emulation prevention bytes. */
export function rbspOf(unit: NalUnit): Uint8Array {
  const out = new Uint8Array(unit.bytes.length);
  let [length, zeros] = [0, 0];
  for (let at = 1; at < unit.bytes.length; at += 1) {
    const byte = unit.bytes[at] ?? 0;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    out[length] = byte;
    length += 1;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.subarray(0, length);
}

function trimZeros(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.subarray(0, end);
}

/** 00 00 00, 00 00 01 and 00 00 02 must not occur, 00 00 03 only before a byte up to 3 or at the end. */
function checkPatterns(bytes: Uint8Array): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = buffer.indexOf(TWO_ZEROS);
  while (at >= 0) {
    const [third = 3, fourth = 0] = buffer.subarray(at + 2, at + 4);
    if (third < 3 || (third === 3 && fourth > 3)) {
      throw new RangeError(`forbidden byte pattern 00 00 0${third} inside a NAL unit`);
    }
    at = buffer.indexOf(TWO_ZEROS, at + 2);
  }
}

const TWO_ZEROS = Buffer.from([0, 0]);
