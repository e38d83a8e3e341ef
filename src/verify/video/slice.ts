import type { BitReader } from './bits.ts';
import { NAL, type NalUnit } from './nal.ts';
import type { Pps } from './pps.ts';
import type { Sps } from './sps.ts';

/** What a slice header says (ISO/IEC 14496-10 §7.3.3). */
export type Slice = {
  readonly isIdr: boolean;
  readonly isReference: boolean;
  readonly firstMb: number;
  /** 0 P, 1 B, 2 I, 3 SP, 4 SI. */
  readonly type: number;
  readonly ppsId: number;
  readonly frameNum: number;
  readonly pocLsb: number;
};

export const SLICE_B = 1;
const SLICE_P = 0;
const SLICE_I = 2;

export type ParameterSets = {
  readonly sps: ReadonlyMap<number, Sps>;
  readonly pps: ReadonlyMap<number, Pps>;
};

/** Parses a slice header to its end; throws RangeError on what cannot be. */
export function parseSlice(unit: NalUnit, reader: BitReader, sets: ParameterSets): Slice {
  const firstMb = reader.unsigned();
  const type = reader.unsignedUpTo(9, 'slice_type') % 5;
  const ppsId = reader.unsignedUpTo(255, 'pic_parameter_set_id');
  const pps = sets.pps.get(ppsId);
  const sps = pps && sets.sps.get(pps.spsId);
  if (!pps || !sps) throw new RangeError(`a slice uses the unknown PPS ${ppsId}`);
  if (firstMb >= sps.widthMbs * sps.heightMbs) throw new RangeError(`first_mb is ${firstMb}`);
  if (sps.separatePlanes) reader.bits(2);
  const frameNum = reader.bits(sps.frameNumBits);
  if (!sps.frameMbsOnly && reader.flag()) throw new RangeError('a field picture');
  const isIdr = unit.type === NAL.idr;
  if (isIdr) reader.unsignedUpTo(65535, 'idr_pic_id');
  const pocLsb = parsePoc(reader, sps, pps);
  if (pps.redundantPictures) reader.unsignedUpTo(127, 'redundant_pic_cnt');
  const slice: Slice = {
    isIdr,
    isReference: unit.refIdc > 0,
    firstMb,
    type,
    ppsId,
    frameNum,
    pocLsb,
  };
  parseRest(reader, slice, pps);
  return slice;
}

function parsePoc(reader: BitReader, sps: Sps, pps: Pps): number {
  let pocLsb = 0;
  if (sps.pocType === 0) {
    pocLsb = reader.bits(sps.pocLsbBits);
    if (pps.picOrderPresent) reader.signed();
  } else if (sps.pocType === 1 && !sps.deltaPicOrderAlwaysZero) {
    reader.signed();
    if (pps.picOrderPresent) reader.signed();
  }
  return pocLsb;
}

/** The rest of an I or P slice header: its limits betray damage. */
function parseRest(reader: BitReader, slice: Slice, pps: Pps): void {
  if (slice.type !== SLICE_P && slice.type !== SLICE_I) return;
  if (slice.type === SLICE_P) {
    const refCount = reader.flag()
      ? reader.unsignedUpTo(31, 'num_ref_idx_l0') + 1
      : pps.refCounts[0];
    if (reader.flag()) skipReordering(reader);
    if (pps.weightedPrediction) skipWeights(reader, refCount);
  }
  if (slice.isReference) skipMarking(reader, slice.isIdr);
  if (pps.cabac && slice.type === SLICE_P) reader.unsignedUpTo(2, 'cabac_init_idc');
  const qp = pps.initQp + reader.signed();
  if (qp < 0 || qp > 51) throw new RangeError(`the slice's QP is ${qp}`);
  if (pps.deblockingControl && reader.unsignedUpTo(2, 'disable_deblocking_filter_idc') !== 1) {
    reader.signedWithin(6, 'slice_alpha_c0_offset_div2');
    reader.signedWithin(6, 'slice_beta_offset_div2');
  }
  if (!reader.hasMore && !pps.cabac) throw new RangeError('a slice has no data');
}

function skipReordering(reader: BitReader): void {
  while (reader.unsignedUpTo(3, 'modification_of_pic_nums_idc') !== 3) reader.unsigned();
}

function skipWeights(reader: BitReader, refCount: number): void {
  reader.unsignedUpTo(7, 'luma_log2_weight_denom');
  reader.unsignedUpTo(7, 'chroma_log2_weight_denom');
  for (let ref = 0; ref < refCount; ref += 1) {
    if (reader.flag()) for (let i = 0; i < 2; i += 1) reader.signedWithin(128, 'luma weight');
    if (reader.flag()) for (let i = 0; i < 4; i += 1) reader.signedWithin(128, 'chroma weight');
  }
}

/** dec_ref_pic_marking() of §7.3.3.3. */
function skipMarking(reader: BitReader, isIdr: boolean): void {
  if (isIdr) {
    reader.bits(2);
    return;
  }
  if (!reader.flag()) return;
  for (;;) {
    const operation = reader.unsignedUpTo(6, 'memory_management_control_operation');
    if (operation === 0) return;
    if (operation !== 5) reader.unsigned();
    if (operation === 3) reader.unsigned();
  }
}
