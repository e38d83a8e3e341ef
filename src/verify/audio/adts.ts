import type { Complain } from '../findings.ts';
import type { Pes } from '../transport/pes.ts';

const AAC_LC = 1;
const INDEX_48_KHZ = 3;
const STEREO = 2;
const HEADER_BYTES = 7;

/** One PES packet of sound; `frames` counts the AAC frames that start in it. */
export type AudioUnit = { readonly offset: number; readonly pts: number; readonly frames: number };

/** The sound of a segment; `audioKey` is adts_fixed_header() of its first frame. */
export type Sound = {
  readonly audio: readonly AudioUnit[];
  readonly audioKey: number | undefined;
};

/** Reads the ADTS frames of a segment (ISO/IEC 14496-3 annex 1.A.2.2) and checks each header. */
export function readAudioUnits(units: readonly Pes[], complain: Complain): Sound {
  let constantHeader: number | undefined;
  const audio = units.map(({ payload, offset, pts }) => {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    let [at, frames] = [0, 0];
    while (at < bytes.length) {
      const length = readFrame(bytes.subarray(at), (rule, message) => {
        complain(rule, offset, `at byte ${at} of the PES payload: ${message}`);
      });
      if (length === undefined) break;
      const header = fixedHeader(bytes, at);
      constantHeader ??= header;
      if (header !== constantHeader) complain('adts', offset, 'the fixed header changes');
      frames += 1;
      at += length;
    }
    if (frames === 0) complain('adts', offset, 'the PES packet holds no AAC frame');
    return { offset, pts, frames };
  });
  return { audio, audioKey: constantHeader };
}

/** The frame's length in bytes, or undefined when the next cannot be found. */
function readFrame(
  bytes: Buffer,
  bad: (rule: 'adts' | 'audio-format', message: string) => void,
): number | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16BE(0) >> 4 !== 0xfff) {
    bad('adts', 'there is no syncword');
    return undefined;
  }
  const [, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0] = bytes;
  if (b & 0x06) bad('adts', 'layer is not 0');
  const [profile, rate, channels] = [c >> 6, (c >> 2) & 0xf, ((c & 1) << 2) | (d >> 6)];
  if (profile !== AAC_LC || rate !== INDEX_48_KHZ || channels !== STEREO) {
    bad(
      'audio-format',
      `profile ${profile}, rate index ${rate}, ${channels} channels; want 1, 3, 2`,
    );
  }
  if (g & 3) bad('adts', `${(g & 3) + 1} raw data blocks in a frame, expected 1`);
  const length = ((d & 3) << 11) | (e << 3) | (f >> 5);
  const headerLength = b & 1 ? HEADER_BYTES : HEADER_BYTES + 2;
  if (length <= headerLength || length > bytes.length) {
    bad('adts', `aac_frame_length is ${length}, ${bytes.length} bytes are left`);
    return undefined;
  }
  return length;
}

/** adts_fixed_header(): 28 bits that must not change within a stream. */
function fixedHeader(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) >>> 4;
}
