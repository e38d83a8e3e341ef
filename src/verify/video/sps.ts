import type { BitReader } from './bits.ts';

/** What a sequence parameter set says (ISO/IEC 14496-10 §7.3.2.1.1, annex E); sizes in pixels. */
export type Sps = {
  readonly id: number;
  readonly profile: number;
  readonly constraintSet3: boolean;
  /** level_idc: ten times the level. */
  readonly level: number;
  readonly separatePlanes: boolean;
  readonly frameNumBits: number;
  readonly pocType: number;
  readonly pocLsbBits: number;
  readonly deltaPicOrderAlwaysZero: boolean;
  readonly maxRefFrames: number;
  readonly frameMbsOnly: boolean;
  readonly widthMbs: number;
  readonly heightMbs: number;
  readonly codedWidth: number;
  readonly codedHeight: number;
  readonly width: number;
  readonly height: number;
  readonly vui: Vui | undefined;
};

export type Vui = {
  readonly sarWidth: number;
  readonly sarHeight: number;
  readonly fullRange: boolean | undefined;
  /** primaries, transfer, matrix. */
  readonly colour: readonly [number, number, number] | undefined;
};

const PROFILES_WITH_CHROMA = [100, 110, 122, 244, 44, 83, 86, 118, 128];
const EXTENDED_SAR = 255;
/** Sample aspect ratios of table E-1, from aspect_ratio_idc 1. */
const SAMPLE_ASPECT_RATIOS = [
  [1, 1], [12, 11], [10, 11], [16, 11], [40, 33], [24, 11], [20, 11], [32, 11],
  [80, 33], [18, 11], [15, 11], [64, 33], [160, 99], [4, 3], [3, 2], [2, 1],
] as const; // prettier-ignore

/** Parses the RBSP of an SPS; throws RangeError on what cannot be. */
export function parseSps(reader: BitReader): Sps {
  const profile = reader.bits(8);
  const constraints = reader.bits(8);
  const level = reader.bits(8);
  const id = reader.unsignedUpTo(31, 'seq_parameter_set_id');
  const chroma = PROFILES_WITH_CHROMA.includes(profile)
    ? parseChroma(reader)
    : { format: 1, separatePlanes: false };
  const frameNumBits = 4 + reader.unsignedUpTo(12, 'log2_max_frame_num_minus4');
  const order = parseOrder(reader);
  const maxRefFrames = reader.unsignedUpTo(16, 'max_num_ref_frames');
  reader.flag(); // gaps_in_frame_num_value_allowed_flag
  const widthMbs = reader.unsignedUpTo(1023, 'pic_width_in_mbs_minus1') + 1;
  const heightUnits = reader.unsignedUpTo(1023, 'pic_height_in_map_units_minus1') + 1;
  const frameMbsOnly = reader.flag();
  if (!frameMbsOnly) reader.flag(); // mb_adaptive_frame_field_flag
  reader.flag(); // direct_8x8_inference_flag
  const heightMbs = heightUnits * (frameMbsOnly ? 1 : 2);
  const crop = reader.flag() ? [0, 0, 0, 0].map(() => reader.unsigned()) : [0, 0, 0, 0];
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  const cropX = chroma.format === 1 || chroma.format === 2 ? 2 : 1;
  const cropY = (chroma.format === 1 ? 2 : 1) * (frameMbsOnly ? 1 : 2);
  const vui = reader.flag() ? parseVui(reader) : undefined;
  const [codedWidth, codedHeight] = [widthMbs * 16, heightMbs * 16];
  const width = codedWidth - (left + right) * cropX;
  const height = codedHeight - (top + bottom) * cropY;
  if (width <= 0 || height <= 0) throw new RangeError('cropping leaves nothing');
  return {
    id, profile, level, frameNumBits, ...order, maxRefFrames, frameMbsOnly,
    constraintSet3: (constraints & 0x10) !== 0,
    separatePlanes: chroma.separatePlanes,
    widthMbs, heightMbs, codedWidth, codedHeight, width, height, vui,
  }; // prettier-ignore
}

function parseChroma(reader: BitReader): { format: number; separatePlanes: boolean } {
  const format = reader.unsignedUpTo(3, 'chroma_format_idc');
  const separatePlanes = format === 3 && reader.flag();
  reader.unsignedUpTo(6, 'bit_depth_luma_minus8');
  reader.unsignedUpTo(6, 'bit_depth_chroma_minus8');
  reader.flag(); // qpprime_y_zero_transform_bypass_flag
  if (reader.flag()) {
    for (let list = 0; list < (format === 3 ? 12 : 8); list += 1) {
      if (reader.flag()) skipScalingList(reader, list < 6 ? 16 : 64);
    }
  }
  return { format, separatePlanes };
}

/** scaling_list() of §7.3.2.1.1.1; also in a PPS. */
export function skipScalingList(reader: BitReader, size: number): void {
  let [last, next] = [8, 8];
  for (let at = 0; at < size; at += 1) {
    if (next !== 0) next = (last + reader.signed() + 256) % 256;
    last = next === 0 ? last : next;
  }
}

type Order = Pick<Sps, 'pocType' | 'pocLsbBits' | 'deltaPicOrderAlwaysZero'>;

function parseOrder(reader: BitReader): Order {
  const pocType = reader.unsignedUpTo(2, 'pic_order_cnt_type');
  let [pocLsbBits, deltaPicOrderAlwaysZero] = [0, false];
  if (pocType === 0) {
    pocLsbBits = 4 + reader.unsignedUpTo(12, 'log2_max_pic_order_cnt_lsb_minus4');
  } else if (pocType === 1) {
    deltaPicOrderAlwaysZero = reader.flag();
    reader.signed();
    reader.signed();
    const cycle = reader.unsignedUpTo(255, 'num_ref_frames_in_pic_order_cnt_cycle');
    for (let at = 0; at < cycle; at += 1) reader.signed();
  }
  return { pocType, pocLsbBits, deltaPicOrderAlwaysZero };
}

/** vui_parameters() of §E.1.1 as far as the colour. */
function parseVui(reader: BitReader): Vui {
  let sar: readonly [number, number] = [0, 0];
  if (reader.flag()) {
    const idc = reader.bits(8);
    if (idc === EXTENDED_SAR) sar = [reader.bits(16), reader.bits(16)];
    else sar = SAMPLE_ASPECT_RATIOS[idc - 1] ?? [0, 0];
  }
  if (reader.flag()) reader.flag(); // overscan
  let fullRange: boolean | undefined;
  let colour: Vui['colour'];
  if (reader.flag()) {
    reader.bits(3); // video_format
    fullRange = reader.flag();
    if (reader.flag()) colour = [reader.bits(8), reader.bits(8), reader.bits(8)];
  }
  return { sarWidth: sar[0], sarHeight: sar[1], fullRange, colour };
}
