import { ChalkreelError } from '../errors.ts';
import { BitReader } from './bit-reader.ts';
import { NAL_TYPE, nalType } from './h264.ts';

/** What a sequence parameter set says (ITU-T H.264 §7.3.2.1.1). */
export type Sps = {
  /** seq_parameter_set_id, 0 to 31. */
  readonly id: number;
  /** 66 baseline, 77 main, 100 high. */
  readonly profileIdc: number;
  /** The six constraint flags and two zero bits, as they stand in an `avc1.` string. */
  readonly constraints: number;
  /** Ten times the level: 31 is level 3.1. */
  readonly levelIdc: number;
  /** Bits of frame_num in a slice header. */
  readonly log2MaxFrameNum: number;
  readonly pocType: number;
  /** Pictures that may be referred to. */
  readonly maxReferenceFrames: number;
  /** Pixels, after cropping. */
  readonly width: number;
  readonly height: number;
  /** Undefined where the stream does not say. */
  readonly colour: Colour | undefined;
  /** video_full_range_flag; undefined where the stream does not say (limited, then). */
  readonly isFullRange: boolean | undefined;
  /** True when the stream says how long pictures last, which fixes nothing for ours. */
  readonly hasTiming: boolean;
};

/** Code points of ITU-T H.273: 1, 1, 1 is BT.709. */
export type Colour = {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
};

/** What a picture parameter set says that joins and muxers need (ITU-T H.264 §7.3.2.2). */
export type Pps = {
  /** pic_parameter_set_id, 0 to 255. */
  readonly id: number;
  readonly spsId: number;
  /** entropy_coding_mode_flag: CABAC, where false is CAVLC. */
  readonly isCabac: boolean;
};

/** Profiles whose SPS says chroma format and bit depth (ITU-T H.264 §7.3.2.1.1). */
const PROFILES_WITH_CHROMA: readonly number[] = [
  100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135,
];
const MACROBLOCK = 16;
const EXTENDED_SAR = 255;

/** Reads an SPS given without start code. Throws `media-invalid` when it is none, or cut off. */
export function parseSps(nal: Uint8Array): Sps {
  return parseNal(nal, NAL_TYPE.sps, 'SPS', readSps);
}

/** Reads a PPS given without start code. Throws `media-invalid` when it is none, or cut off. */
export function parsePps(nal: Uint8Array): Pps {
  return parseNal(nal, NAL_TYPE.pps, 'PPS', (bits) => ({
    id: bits.ue(),
    spsId: bits.ue(),
    isCabac: bits.flag(),
  }));
}

function parseNal<T>(nal: Uint8Array, type: number, name: string, read: (bits: BitReader) => T): T {
  if (nalType(nal) !== type) {
    throw new ChalkreelError(
      'media-invalid',
      `Expected an H.264 ${name} (NAL type ${type}), got type ${nalType(nal)}.`,
    );
  }
  try {
    return read(new BitReader(nal.subarray(1)));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ChalkreelError(
      'media-invalid',
      `Expected a whole H.264 ${name}, got ${nal.length} bytes of one: ${cause.message}.`,
      { cause },
    );
  }
}

function readSps(bits: BitReader): Sps {
  const profileIdc = bits.bits(8);
  const constraints = bits.bits(8);
  const levelIdc = bits.bits(8);
  const id = bits.ue();
  const chromaFormat = PROFILES_WITH_CHROMA.includes(profileIdc) ? readChromaFormat(bits) : 1;
  const log2MaxFrameNum = bits.ue() + 4;
  const pocType = readPocType(bits);
  const maxReferenceFrames = bits.ue();
  bits.flag(); // gaps_in_frame_num_value_allowed_flag
  const size = readSize(bits, chromaFormat);
  const vui = bits.flag() ? readVui(bits) : NO_VUI;
  return {
    id,
    profileIdc,
    constraints,
    levelIdc,
    log2MaxFrameNum,
    pocType,
    maxReferenceFrames,
    ...size,
    ...vui,
  };
}

/** chroma_format_idc; passes over bit depths and scaling lists. */
function readChromaFormat(bits: BitReader): number {
  const chromaFormat = bits.ue();
  if (chromaFormat === 3) bits.flag(); // separate_colour_plane_flag
  bits.ue(); // bit_depth_luma_minus8
  bits.ue(); // bit_depth_chroma_minus8
  bits.flag(); // qpprime_y_zero_transform_bypass_flag
  if (bits.flag()) {
    const lists = chromaFormat === 3 ? 12 : 8;
    for (let list = 0; list < lists; list++) {
      if (bits.flag()) skipScalingList(bits, list < 6 ? 16 : 64);
    }
  }
  return chromaFormat;
}

/** ITU-T H.264 §7.3.2.1.1.1. */
function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  for (let index = 0; index < size; index++) {
    const next = (last + bits.se() + 256) % 256;
    if (next === 0) return;
    last = next;
  }
}

function readPocType(bits: BitReader): number {
  const pocType = bits.ue();
  if (pocType === 0) bits.ue(); // log2_max_pic_order_cnt_lsb_minus4
  if (pocType === 1) {
    bits.flag(); // delta_pic_order_always_zero_flag
    bits.se(); // offset_for_non_ref_pic
    bits.se(); // offset_for_top_to_bottom_field
    const cycle = bits.ue();
    for (let index = 0; index < cycle; index++) bits.se();
  }
  return pocType;
}

function readSize(bits: BitReader, chromaFormat: number): { width: number; height: number } {
  const widthInMbs = bits.ue() + 1;
  const heightInMapUnits = bits.ue() + 1;
  const isFrameOnly = bits.flag();
  const fields = isFrameOnly ? 1 : 2;
  if (!isFrameOnly) bits.flag(); // mb_adaptive_frame_field_flag
  bits.flag(); // direct_8x8_inference_flag
  const isCropped = bits.flag();
  const crop = (): number => (isCropped ? bits.ue() : 0);
  const [left, right, top, bottom] = [crop(), crop(), crop(), crop()];
  // CropUnitX and CropUnitY (ITU-T H.264 equations 7-19 to 7-22): 4:2:0 is 1, 4:2:2 is 2.
  const unitX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
  const unitY = (chromaFormat === 1 ? 2 : 1) * fields;
  return {
    width: widthInMbs * MACROBLOCK - (left + right) * unitX,
    height: heightInMapUnits * MACROBLOCK * fields - (top + bottom) * unitY,
  };
}

type Vui = Pick<Sps, 'colour' | 'isFullRange' | 'hasTiming'>;

const NO_VUI: Vui = { colour: undefined, isFullRange: undefined, hasTiming: false };

/** The front part of the VUI (ITU-T H.264 §E.1.1), as far as timing_info_present_flag. */
function readVui(bits: BitReader): Vui {
  const hasAspect = bits.flag();
  if (hasAspect && bits.bits(8) === EXTENDED_SAR) bits.bits(32);
  if (bits.flag()) bits.flag(); // overscan_appropriate_flag
  const signal = bits.flag() ? readVideoSignal(bits) : NO_VUI;
  if (bits.flag()) {
    bits.ue(); // chroma_sample_loc_type_top_field
    bits.ue(); // chroma_sample_loc_type_bottom_field
  }
  return { ...signal, hasTiming: bits.flag() };
}

function readVideoSignal(bits: BitReader): Pick<Sps, 'colour' | 'isFullRange'> {
  bits.bits(3); // video_format
  const isFullRange = bits.flag();
  if (!bits.flag()) return { isFullRange, colour: undefined };
  const [primaries, transfer, matrix] = [bits.bits(8), bits.bits(8), bits.bits(8)];
  return { isFullRange, colour: { primaries, transfer, matrix } };
}
