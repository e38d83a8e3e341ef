/** nal_unit_type (ITU-T H.264 table 7-1). */
export const NAL_TYPE = { slice: 1, idrSlice: 5, sei: 6, sps: 7, pps: 8, aud: 9 } as const;

/** An access unit delimiter with its start code; primary_pic_type 7 is true of any picture (ITU-T H.264 §7.4.2.4). */
export const ACCESS_UNIT_DELIMITER: Uint8Array = Uint8Array.of(0, 0, 0, 1, NAL_TYPE.aud, 0xf0);

/** An access unit's parameter sets, NAL units without start codes, in their order. */
export type ParameterSets = {
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
};

const START_CODE = Buffer.from([0, 0, 1]);
const START_CODE_BYTES = 3;
const LENGTH_BYTES = 4;

/** The type of a NAL unit without start code; −1 when it is empty. */
export function nalType(nal: Uint8Array): number {
  const header = nal[0];
  return header === undefined ? -1 : header & 0x1f;
}

/**
 * The NAL units of an Annex B byte stream, one after the other, as views without start code and trailing zeros (ITU-T H.264
 * annex B). Bytes before the first start code are passed over. Stop early, and the rest is not searched.
 */
export function* nalUnits(annexB: Uint8Array): Generator<Uint8Array, void, undefined> {
  const bytes = asBuffer(annexB);
  let codeAt = bytes.indexOf(START_CODE);
  while (codeAt !== -1) {
    const start = codeAt + START_CODE_BYTES;
    const next = bytes.indexOf(START_CODE, start);
    let end = next === -1 ? bytes.length : next;
    while (end > start && bytes[end - 1] === 0) end--;
    yield annexB.subarray(start, end);
    codeAt = next;
  }
}

/** All NAL units of an Annex B byte stream: views without start codes. */
export function splitAnnexB(annexB: Uint8Array): Uint8Array[] {
  return [...nalUnits(annexB)];
}

/** The first slice's type, which is the picture's: 5 for an IDR; undefined when there is none. Does not search the slice. */
export function findPictureType(annexB: Uint8Array): number | undefined {
  for (const header of headers(annexB)) {
    if (header.type >= NAL_TYPE.slice && header.type <= NAL_TYPE.idrSlice) return header.type;
  }
  return undefined;
}

/** The parameter sets ahead of the first slice, as views; empty lists when there are none. */
export function findParameterSets(annexB: Uint8Array): ParameterSets {
  const sps: Uint8Array[] = [];
  const pps: Uint8Array[] = [];
  for (const nal of beforeFirstSlice(annexB)) {
    if (nalType(nal) === NAL_TYPE.sps) sps.push(nal);
    if (nalType(nal) === NAL_TYPE.pps) pps.push(nal);
  }
  return { sps, pps };
}

/** True when an access unit starts with a delimiter. */
export function startsWithDelimiter(annexB: Uint8Array): boolean {
  for (const header of headers(annexB)) return header.type === NAL_TYPE.aud;
  return false;
}

/** NAL units as one Annex B byte stream, each with a start code of four bytes. */
export function joinAnnexB(nals: readonly Uint8Array[]): Uint8Array {
  return join(nals, () => 1);
}

/** NAL units each behind its length in four bytes, as MP4 keeps them (ISO/IEC 14496-15, lengthSizeMinusOne 3). */
export function joinLengthPrefixed(nals: readonly Uint8Array[]): Uint8Array {
  return join(nals, (nal) => nal.length);
}

/** The NAL units of a sample with lengths of four bytes, as views; undefined when the lengths do not add up. */
export function findLengthPrefixed(sample: Uint8Array): Uint8Array[] | undefined {
  const bytes = asBuffer(sample);
  const nals: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + LENGTH_BYTES > bytes.length) return undefined;
    const start = at + LENGTH_BYTES;
    at = start + bytes.readUInt32BE(at);
    if (at > bytes.length) return undefined;
    nals.push(sample.subarray(start, at));
  }
  return nals;
}

/** Where NAL units start, and their types; lazily, so that a reader who has seen enough does not search a whole picture. */
function* headers(annexB: Uint8Array): Generator<{ at: number; type: number }, void, undefined> {
  const bytes = asBuffer(annexB);
  let codeAt = bytes.indexOf(START_CODE);
  while (codeAt !== -1) {
    const at = codeAt + START_CODE_BYTES;
    const header = bytes[at];
    if (header !== undefined) yield { at, type: header & 0x1f };
    codeAt = bytes.indexOf(START_CODE, at);
  }
}

function beforeFirstSlice(annexB: Uint8Array): Uint8Array[] {
  for (const { at, type } of headers(annexB)) {
    const isFirstSlice = type >= NAL_TYPE.slice && type <= NAL_TYPE.idrSlice;
    if (isFirstSlice) return splitAnnexB(annexB.subarray(0, at - START_CODE_BYTES));
  }
  return splitAnnexB(annexB);
}

function join(nals: readonly Uint8Array[], prefix: (nal: Uint8Array) => number): Uint8Array {
  const total = nals.reduce((sum, nal) => sum + LENGTH_BYTES + nal.length, 0);
  const out = Buffer.allocUnsafe(total);
  let at = 0;
  for (const nal of nals) {
    at = out.writeUInt32BE(prefix(nal), at);
    out.set(nal, at);
    at += nal.length;
  }
  return out;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
