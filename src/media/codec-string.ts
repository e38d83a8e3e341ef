import type { CodedDescription } from './mp4/movie.ts';

/** AAC-LC (RFC 6381, ISO/IEC 14496-3 object type 2). */
export const AAC_LC_CODEC = 'mp4a.40.2';

const BOX_HEADER_BYTES = 8;

/** The codec's name as players ask for it (RFC 6381; ISO/IEC 14496-15 annex E; AV1 in ISOBMFF §5), read from its configuration box. */
export function codecString({ format, config }: CodedDescription): string {
  const record = Buffer.from(config.buffer, config.byteOffset, config.length).subarray(
    BOX_HEADER_BYTES,
  );
  switch (format) {
    case 'avc1':
      return `avc1.${record.toString('hex', 1, 4).toUpperCase()}`;
    case 'hvc1':
      return hevcString(record);
    case 'av01':
      return av1String(record);
  }
}

/** HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1). */
function hevcString(record: Buffer): string {
  const profile = record.readUInt8(1);
  const space = ['', 'A', 'B', 'C'][profile >> 6] ?? '';
  const constraints = [...record.subarray(6, 12)];
  while (constraints.at(-1) === 0) constraints.pop();
  return [
    'hvc1',
    `${space}${profile & 0x1f}`,
    reversedBits(record.readUInt32BE(2)).toString(16).toUpperCase(),
    `${profile & 0x20 ? 'H' : 'L'}${record.readUInt8(12)}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ].join('.');
}

function reversedBits(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed = ((reversed << 1) | ((value >>> bit) & 1)) >>> 0;
  return reversed;
}

/** AV1CodecConfigurationRecord. */
function av1String(record: Buffer): string {
  const [levels, flags] = [record.readUInt8(1), record.readUInt8(2)];
  const level = String(levels & 0x1f).padStart(2, '0');
  const bits = flags & 0x40 ? (flags & 0x20 ? '12' : '10') : '08';
  return `av01.${levels >> 5}.${level}${flags & 0x80 ? 'H' : 'M'}.${bits}`;
}
