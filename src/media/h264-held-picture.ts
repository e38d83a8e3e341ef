import { BitReader } from './bit-reader.ts';
import { BitWriter } from './bit-writer.ts';
import { findParameterSets, joinAnnexB, NAL_TYPE, nalType, nalUnits } from './h264.ts';

/** slice_type: P, and all slices of the picture are (ITU-T H.264 table 7-6). */
const ALL_P = 5;
/** More than a slice header takes up to pic_order_cnt_lsb. */
const HEADER_BYTES = 32;
const BASELINE = 66;

/** What a slice header is made of (ITU-T H.264 §7.3.3), as far as a picture of skipped macroblocks needs it. */
type SliceFormat = {
  readonly ppsId: number;
  readonly frameNumBits: number;
  /** Bits of pic_order_cnt_lsb; undefined for POC type 2, which has none. */
  readonly pocBits: number | undefined;
  readonly macroblocks: number;
  readonly hasPocDelta: boolean;
  readonly hasDeblockingControl: boolean;
  readonly hasRedundantCount: boolean;
};

type Place = { readonly refIdc: number; readonly frameNum: number; readonly poc: number };

/**
 * Makes pictures that show the one before them again: every macroblock skipped, 10 to 20 bytes. `key` is the segment's IDR access unit, `last`
 * the access unit they follow, both Annex B. Undefined for streams that ours are not: another profile than baseline, fields, slice groups.
 */
export function createHeldPictures(
  key: Uint8Array,
  last: Uint8Array,
): (() => Uint8Array) | undefined {
  const { sps, pps } = findParameterSets(key);
  if (sps[0] === undefined || pps[0] === undefined) return undefined;
  const format = findFormat(sps[0], pps[0]);
  const slice = findSlice(last);
  if (format === undefined || slice === undefined) return undefined;
  let place = readPlace(slice, format);
  return () => {
    place = {
      // One that nothing may refer to has no successor in counting.
      refIdc: Math.max(1, place.refIdc),
      frameNum: (place.frameNum + 1) % 2 ** format.frameNumBits,
      poc: (place.poc + 2) % 2 ** (format.pocBits ?? 1),
    };
    return joinAnnexB([writeSlice(format, place)]);
  };
}

function findSlice(unit: Uint8Array): Uint8Array | undefined {
  for (const nal of nalUnits(unit)) {
    const type = nalType(nal);
    if (type === NAL_TYPE.slice || type === NAL_TYPE.idrSlice) return nal;
  }
  return undefined;
}

/** ITU-T H.264 §7.3.2.1.1 and §7.3.2.2. */
function findFormat(sps: Uint8Array, pps: Uint8Array): SliceFormat | undefined {
  const s = new BitReader(sps.subarray(1));
  if (s.bits(8) !== BASELINE) return undefined;
  s.bits(16); // constraints, level
  s.ue(); // seq_parameter_set_id
  const frameNumBits = s.ue() + 4;
  const pocType = s.ue();
  if (pocType === 1) return undefined;
  const pocBits = pocType === 0 ? s.ue() + 4 : undefined;
  s.ue(); // max_num_ref_frames
  s.flag(); // gaps_in_frame_num_value_allowed_flag
  const macroblocks = (s.ue() + 1) * (s.ue() + 1);
  const isFrameOnly = s.flag();
  const p = new BitReader(pps.subarray(1));
  const ppsId = p.ue();
  p.ue(); // seq_parameter_set_id
  const isCabac = p.flag();
  const hasPocDelta = p.flag();
  const hasSliceGroups = p.ue() > 0;
  if (!isFrameOnly || isCabac || hasSliceGroups) return undefined;
  p.ue(); // num_ref_idx_l0_default_active_minus1
  p.ue(); // num_ref_idx_l1_default_active_minus1
  const isWeighted = p.flag();
  p.bits(2); // weighted_bipred_idc
  p.se(); // pic_init_qp_minus26
  p.se(); // pic_init_qs_minus26
  p.se(); // chroma_qp_index_offset
  const hasDeblockingControl = p.flag();
  p.flag(); // constrained_intra_pred_flag
  const hasRedundantCount = p.flag();
  if (isWeighted) return undefined;
  return {
    ppsId,
    frameNumBits,
    pocBits,
    macroblocks,
    hasPocDelta,
    hasDeblockingControl,
    hasRedundantCount,
  };
}

function readPlace(slice: Uint8Array, { frameNumBits, pocBits }: SliceFormat): Place {
  const bits = new BitReader(slice.subarray(1, 1 + HEADER_BYTES));
  bits.ue(); // first_mb_in_slice
  bits.ue(); // slice_type
  bits.ue(); // pic_parameter_set_id
  const frameNum = bits.bits(frameNumBits);
  if (nalType(slice) === NAL_TYPE.idrSlice) bits.ue(); // idr_pic_id
  const poc = pocBits === undefined ? 0 : bits.bits(pocBits);
  return { refIdc: ((slice[0] ?? 0) >> 5) & 3, frameNum, poc };
}

function writeSlice(format: SliceFormat, { refIdc, frameNum, poc }: Place): Uint8Array {
  const bits = new BitWriter();
  bits.ue(0).ue(ALL_P).ue(format.ppsId).bits(frameNum, format.frameNumBits);
  if (format.pocBits !== undefined) {
    bits.bits(poc, format.pocBits);
    if (format.hasPocDelta) bits.se(0);
  }
  if (format.hasRedundantCount) bits.ue(0);
  // One reference, the picture before, in the order there is; no marking.
  bits.flag(true).ue(0).flag(false).flag(false);
  bits.se(0); // slice_qp_delta
  if (format.hasDeblockingControl) bits.ue(1); // none: nothing has changed
  bits.ue(format.macroblocks); // mb_skip_run
  return bits.toNal((refIdc << 5) | NAL_TYPE.slice);
}
