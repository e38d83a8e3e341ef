import { joinLengthPrefixed, NAL_TYPE, nalType, nalUnits, type ParameterSets } from './h264.ts';

/** NAL units that a sample does not repeat: delimiters and filler are for streams (ISO/IEC 14496-15 §5.3.2). */
const FILLER = 12;
const LEFT_OUT: readonly number[] = [NAL_TYPE.aud, FILLER];
/** Parameter sets are in the sample entry, mostly. */
const SETS: readonly number[] = [NAL_TYPE.sps, NAL_TYPE.pps];
const LENGTH_BYTES = 4;

/**
 * An Annex B access unit as a sample of an MP4: its NAL units byte for byte, behind lengths of four bytes instead of start codes; its parameter sets
 * only with `withSets`.
 */
export function toAvcSample(
  accessUnit: Uint8Array,
  { withSets = false }: { readonly withSets?: boolean } = {},
): Uint8Array {
  return joinLengthPrefixed([...sampleUnits(accessUnit, withSets)]);
}

/** Bytes that `toAvcSample` would give without parameter sets. */
export function avcSampleBytes(accessUnit: Uint8Array): number {
  let bytes = 0;
  for (const nal of sampleUnits(accessUnit, false)) bytes += LENGTH_BYTES + nal.length;
  return bytes;
}

/** Bytes that parameter sets add to a sample that carries them. */
export function setsBytes({ sps, pps }: ParameterSets): number {
  return [...sps, ...pps].reduce((sum, set) => sum + LENGTH_BYTES + set.length, 0);
}

function* sampleUnits(
  accessUnit: Uint8Array,
  withSets: boolean,
): Generator<Uint8Array, void, undefined> {
  for (const nal of nalUnits(accessUnit)) {
    const type = nalType(nal);
    if (LEFT_OUT.includes(type) || (!withSets && SETS.includes(type))) continue;
    yield nal;
  }
}
