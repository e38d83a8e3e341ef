/** What an SPS for the fixture's slices may say differently. */
export type SpsFields = {
  level: number;
  widthMbs: number;
  heightMbs: number;
  cropRight: number;
  chroma444: boolean;
  sar: readonly [number, number];
  colour: readonly [number, number, number] | undefined;
  fullRange: boolean;
};

const USUAL: SpsFields = {
  level: 10,
  widthMbs: 4,
  heightMbs: 4,
  cropRight: 0,
  chroma444: false,
  sar: [1, 1],
  colour: [1, 1, 1],
  fullRange: false,
};

/** Writes an SPS that fits the fixture's slices (frame_num of 4 bits, POC type 2), emulation prevention included. */
export function writeSps(changes: Partial<SpsFields> = {}): Buffer {
  const fields = { ...USUAL, ...changes };
  const bits = [
    fixed(fields.chroma444 ? 244 : 66, 8), fixed(0xc0, 8), fixed(fields.level, 8), golomb(0),
    fields.chroma444 ? golomb(3) + '0' + golomb(0) + golomb(0) + '00' : '',
    golomb(0), golomb(2), golomb(1), '0',
    golomb(fields.widthMbs - 1), golomb(fields.heightMbs - 1), '1', '1',
    fields.cropRight > 0 ? `1${[0, fields.cropRight, 0, 0].map(golomb).join('')}` : '0',
    '1', '1', fixed(255, 8), fixed(fields.sar[0], 16), fixed(fields.sar[1], 16), '0',
    '1', fixed(5, 3), fields.fullRange ? '1' : '0',
    fields.colour ? `1${fields.colour.map((code) => fixed(code, 8)).join('')}` : '0',
    '000000', '1',
  ].join(''); // prettier-ignore
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
  const bytes = (padded.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  return Buffer.from([0x67, ...preventEmulation(bytes)]);
}

function fixed(value: number, width: number): string {
  return value.toString(2).padStart(width, '0');
}

/** ue(v) of ISO/IEC 14496-10 §9.1. */
function golomb(value: number): string {
  const code = (value + 1).toString(2);
  return '0'.repeat(code.length - 1) + code;
}

function preventEmulation(bytes: readonly number[]): number[] {
  const out: number[] = [];
  for (const byte of bytes) {
    if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3);
    out.push(byte);
  }
  return out;
}
