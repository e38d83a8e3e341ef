import { AAC_FRAME_SAMPLES, SAMPLE_RATE } from '../model/grid.ts';

/** Bytes of an ADTS header without CRC. */
export const ADTS_HEADER_BYTES = 7;
/** Largest frame_length: 13 bits, header included (ISO/IEC 14496-3 §1.A.2.2). */
export const MAX_ADTS_FRAME_BYTES = 0x1fff;

const SAMPLE_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
  7350,
] as const;
const AAC_LC = 2;
const STEREO = 2;
const RATE_INDEX = SAMPLE_RATES.indexOf(SAMPLE_RATE);

/** AudioSpecificConfig of AAC-LC, 48 kHz, stereo, 1024 samples a frame (ISO/IEC 14496-3 §1.6.2.1): 0x11 0x90. */
export const AUDIO_SPECIFIC_CONFIG: Uint8Array = Uint8Array.of(
  (AAC_LC << 3) | (RATE_INDEX >> 1),
  ((RATE_INDEX & 1) << 7) | (STEREO << 3),
);

/** One ADTS header read back. */
export type AdtsHeader = {
  /** 1 main, 2 LC, 3 SSR, 4 LTP. */
  readonly audioObjectType: number;
  readonly sampleRate: number;
  readonly channels: number;
  /** 7, or 9 with a CRC. */
  readonly headerBytes: number;
  /** Bytes of the frame, header included. */
  readonly frameBytes: number;
  readonly samples: number;
};

/** Writes the ADTS header of a raw AAC-LC frame of 48 kHz stereo, 7 bytes (ISO/IEC 14496-3 §1.A.2.2). */
export function writeAdtsHeader(out: Uint8Array, at: number, rawFrameBytes: number): void {
  const frameBytes = rawFrameBytes + ADTS_HEADER_BYTES;
  out[at] = 0xff;
  // syncword's end, MPEG-4, layer 0, no CRC.
  out[at + 1] = 0xf1;
  out[at + 2] = ((AAC_LC - 1) << 6) | (RATE_INDEX << 2) | (STEREO >> 2);
  out[at + 3] = ((STEREO & 3) << 6) | (frameBytes >> 11);
  out[at + 4] = (frameBytes >> 3) & 0xff;
  // adts_buffer_fullness 0x7FF: variable rate; one raw_data_block.
  out[at + 5] = ((frameBytes & 7) << 5) | 0x1f;
  out[at + 6] = 0xfc;
}

/** Reads the ADTS header at `at`; undefined when there is none, or it is broken. */
export function findAdtsHeader(bytes: Uint8Array, at = 0): AdtsHeader | undefined {
  if (bytes.length - at < ADTS_HEADER_BYTES) return undefined;
  const byte = (index: number): number => bytes[at + index] ?? 0;
  if (byte(0) !== 0xff || (byte(1) & 0xf6) !== 0xf0) return undefined;
  const sampleRate = SAMPLE_RATES[(byte(2) >> 2) & 15];
  const headerBytes = byte(1) & 1 ? ADTS_HEADER_BYTES : ADTS_HEADER_BYTES + 2;
  const frameBytes = ((byte(3) & 3) << 11) | (byte(4) << 3) | (byte(5) >> 5);
  if (sampleRate === undefined || frameBytes < headerBytes) return undefined;
  return {
    audioObjectType: (byte(2) >> 6) + 1,
    sampleRate,
    channels: ((byte(2) & 1) << 2) | (byte(3) >> 6),
    headerBytes,
    frameBytes,
    samples: ((byte(6) & 3) + 1) * AAC_FRAME_SAMPLES,
  };
}
