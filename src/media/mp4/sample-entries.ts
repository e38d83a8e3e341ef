import { AAC_FRAME_SAMPLES } from '../../model/grid.ts';
import { box, fullBox, u16, u32, u8, type Piece } from './box.ts';
import { sumOf } from './columns.ts';
import {
  AUDIO_TIMESCALE,
  type AudioTrack,
  type AvcDescription,
  type CodedDescription,
} from './movie.ts';

/** Profiles whose avcC carries chroma format and bit depths (ISO/IEC 14496-15 §5.3.3.1.2). */
const HIGH_PROFILES = [100, 110, 122, 144];

/** The visual sample entry with the codec's configuration, `colr` (BT.709, limited) and `pasp` (ISO/IEC 14496-12 §12.1.3). */
export function visualEntry(
  description: AvcDescription | CodedDescription,
  size: { readonly width: number; readonly height: number },
): readonly Piece[] {
  const compressorName = Buffer.alloc(32);
  const isCoded = 'config' in description;
  return box(
    isCoded ? description.format : 'avc1',
    u8(0, 0, 0, 0, 0, 0),
    u16(1), // data_reference_index
    Buffer.alloc(16), // pre_defined, reserved
    u16(size.width, size.height),
    u32(0x0048_0000, 0x0048_0000, 0), // 72 dpi, reserved
    u16(1), // frame_count
    compressorName,
    u16(0x0018, 0xffff), // depth, pre_defined
    isCoded ? [description.config] : avcC(description.sps, description.pps),
    // colour_primaries, transfer_characteristics, matrix_coefficients: BT.709; full_range_flag: no
    box('colr', Buffer.from('nclx'), u16(1, 1, 1), u8(0)),
    box('pasp', u32(1, 1)),
  );
}

/** AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1): NAL lengths are 4 bytes. */
function avcC(sps: readonly Uint8Array[], pps: readonly Uint8Array[]): readonly Piece[] {
  const [profile = 0, compatibility = 0, level = 0] = sps[0]?.subarray(1, 4) ?? [];
  const list = (sets: readonly Uint8Array[]): Uint8Array[] =>
    sets.flatMap((set) => [u16(set.length), set]);
  // chroma_format 4:2:0, bit depths 8, no SPS extensions
  const high = HIGH_PROFILES.includes(profile) ? [u8(0xfc | 1, 0xf8, 0xf8, 0)] : [];
  return box(
    'avcC',
    u8(1, profile, compatibility, level, 0xfc | 3, 0xe0 | sps.length),
    list(sps),
    u8(pps.length),
    list(pps),
    high,
  );
}

/** The audio sample entry `mp4a` with `esds` (ISO/IEC 14496-14 §5.6). */
export function mp4a(track: AudioTrack): readonly Piece[] {
  return box(
    'mp4a',
    u8(0, 0, 0, 0, 0, 0),
    u16(1), // data_reference_index
    u32(0, 0),
    u16(track.channels, 16, 0, 0),
    u32(AUDIO_TIMESCALE * 0x1_0000),
    esds(track),
  );
}

/** ES_Descriptor with DecoderConfigDescriptor for AAC (ISO/IEC 14496-1 §7.2.6.5). */
function esds(track: AudioTrack): readonly Piece[] {
  const length = track.sizes.length * AAC_FRAME_SAMPLES;
  const bits = sumOf(track.sizes) * 8;
  const bitrate = length === 0 ? 0 : Math.round((bits * AUDIO_TIMESCALE) / length);
  const specific = descriptor(0x05, track.audioSpecificConfig);
  const config = descriptor(
    0x04,
    u8(0x40, 0x15, 0, 0, 0), // AAC, audio stream, bufferSizeDB
    u32(bitrate, bitrate), // maxBitrate, avgBitrate
    specific,
  );
  const es = descriptor(0x03, u16(0), u8(0), config, descriptor(0x06, u8(2)));
  return fullBox('esds', {}, es);
}

/** Tag, length in one byte, content: everything here is shorter than 128 bytes. */
function descriptor(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([u8(tag, content.length), content]);
}
