import type { BitReader } from './bits.ts';

/** What a picture parameter set says (ISO/IEC 14496-10 §7.3.2.2), as far as slice headers need it. */
export type Pps = {
  readonly id: number;
  readonly spsId: number;
  readonly cabac: boolean;
  readonly picOrderPresent: boolean;
  readonly refCounts: readonly [number, number];
  readonly weightedPrediction: boolean;
  readonly initQp: number;
  readonly deblockingControl: boolean;
  readonly redundantPictures: boolean;
};

/** Parses the RBSP of a PPS; throws RangeError on what cannot be, slice groups among it. */
export function parsePps(reader: BitReader): Pps {
  const id = reader.unsignedUpTo(255, 'pic_parameter_set_id');
  const spsId = reader.unsignedUpTo(31, 'seq_parameter_set_id');
  const cabac = reader.flag();
  const picOrderPresent = reader.flag();
  if (reader.unsigned() !== 0) throw new RangeError('slice groups are in use');
  const refCounts = [
    reader.unsignedUpTo(31, 'num_ref_idx_l0_default_active_minus1') + 1,
    reader.unsignedUpTo(31, 'num_ref_idx_l1_default_active_minus1') + 1,
  ] as const;
  const weightedPrediction = reader.flag();
  reader.bits(2); // weighted_bipred_idc
  const initQp = 26 + reader.signedWithin(26, 'pic_init_qp_minus26');
  reader.signedWithin(26, 'pic_init_qs_minus26');
  reader.signedWithin(12, 'chroma_qp_index_offset');
  const deblockingControl = reader.flag();
  reader.flag(); // constrained_intra_pred_flag
  const redundantPictures = reader.flag();
  return {
    id, spsId, cabac, picOrderPresent, refCounts, weightedPrediction, initQp,
    deblockingControl, redundantPictures,
  }; // prettier-ignore
}
