import { parsePps, parseSps } from '../src/media/h264-parameter-sets.ts';
import { findParameterSets } from '../src/media/h264.ts';

/** The parameter sets of a run of pictures, each once, in order of first use; NAL units without start codes. */
export type ParameterSetList = {
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
  /** Two different sets share an id: one `avcC` cannot hold them, the pictures cannot be copied side by side. */
  readonly isColliding: boolean;
};

/** Highest id a sequence parameter set may have; x264 gives its picture parameter set the same one. */
const MAX_SPS_ID = 31;

/** Collects the parameter sets of Annex B access units. */
export function collectParameterSets(accessUnits: Iterable<Uint8Array>): ParameterSetList {
  const sps = new Map<number, Uint8Array>();
  const pps = new Map<number, Uint8Array>();
  let isColliding = false;
  const add = (known: Map<number, Uint8Array>, id: number, set: Uint8Array): void => {
    const present = known.get(id);
    if (present === undefined) known.set(id, set);
    else if (Buffer.compare(present, set) !== 0) isColliding = true;
  };
  for (const unit of accessUnits) {
    const found = findParameterSets(unit);
    for (const set of found.sps) add(sps, parseSps(set).id, set);
    for (const set of found.pps) add(pps, parsePps(set).id, set);
  }
  return { sps: [...sps.values()], pps: [...pps.values()], isColliding };
}

/** The lowest id that neither kind of set uses; undefined when all are taken. */
export function findFreeId({ sps, pps }: ParameterSetList): number | undefined {
  const used = new Set([
    ...sps.map((set) => parseSps(set).id),
    ...pps.map((set) => parsePps(set).id),
  ]);
  for (let id = 0; id <= MAX_SPS_ID; id++) if (!used.has(id)) return id;
  return undefined;
}
