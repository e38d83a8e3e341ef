import type { ParameterSets, Slice } from './slice.ts';

/** Takes the first slice of each picture in turn; throws RangeError when the picture is out of its place. */
export type OrderCheck = (slice: Slice, sets: ParameterSets) => void;

/** Starts following frame_num (ISO/IEC 14496-10 §7.4.3) and picture order count (§8.2.1) from an IDR on. */
export function createOrderCheck(): OrderCheck {
  let nextFrameNum: number | undefined;
  let reference = { msb: 0, lsb: 0 };
  let lastPoc = -1;
  return (slice, sets) => {
    const pps = sets.pps.get(slice.ppsId);
    const sps = pps && sets.sps.get(pps.spsId);
    if (!sps) return;
    const expected = slice.isIdr ? 0 : nextFrameNum;
    nextFrameNum = (slice.frameNum + (slice.isReference ? 1 : 0)) % 2 ** sps.frameNumBits;
    if (slice.isIdr) reference = { msb: 0, lsb: 0 };
    if (expected !== undefined && slice.frameNum !== expected) {
      throw new RangeError(`frame_num is ${slice.frameNum}, expected ${expected}`);
    }
    if (sps.pocType !== 0) return;
    const msb = msbOf(slice.pocLsb, reference, 2 ** sps.pocLsbBits);
    if (slice.isReference) reference = { msb, lsb: slice.pocLsb };
    const poc = msb + slice.pocLsb;
    const isRising = slice.isIdr || poc > lastPoc;
    lastPoc = poc;
    if (!isRising) throw new RangeError(`picture order count ${poc} does not rise`);
  };
}

function msbOf(lsb: number, reference: { msb: number; lsb: number }, modulus: number): number {
  if (lsb < reference.lsb && reference.lsb - lsb >= modulus / 2) return reference.msb + modulus;
  if (lsb > reference.lsb && lsb - reference.lsb > modulus / 2) return reference.msb - modulus;
  return reference.msb;
}
