import { parsePps, parseSps } from '../src/media/h264-parameter-sets.ts';
import type { ParameterSets } from '../src/media/h264.ts';

/** Highest id a sequence parameter set may have; x264 gives its picture parameter set the same one. */
const MAX_SPS_ID = 31;

/** The lowest id that neither kind of set uses; undefined when all are taken. */
export function findFreeId({ sps, pps }: ParameterSets): number | undefined {
  const used = new Set([
    ...sps.map((set) => parseSps(set).id),
    ...pps.map((set) => parsePps(set).id),
  ]);
  for (let id = 0; id <= MAX_SPS_ID; id++) if (!used.has(id)) return id;
  return undefined;
}
