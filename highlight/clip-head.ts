import { ChalkreelError } from '../src/errors.ts';
import type { Log } from '../src/log.ts';
import { toAvcSample } from '../src/media/avc-sample.ts';
import { parseSps } from '../src/media/h264-parameter-sets.ts';
import {
  findParameterSets,
  findPictureType,
  NAL_TYPE,
  type ParameterSets,
} from '../src/media/h264.ts';
import { findFreeId } from './free-id.ts';
import { encodeHead } from './head-encoder.ts';

/** The part of a clip that was encoded anew. */
export type ClipHead = {
  readonly samples: readonly { readonly data: Uint8Array; readonly isKey: boolean }[];
  /** What its pictures were like before, and what they are now: ids of the two do not collide. */
  readonly sets: ParameterSets;
};

/** Encodes the head's pictures anew; `decode` are the Annex B access units from a key picture on. Errors as `encodeHead`. */
export async function makeHead(
  decode: readonly Uint8Array[],
  options: {
    readonly skip: number;
    readonly signal: AbortSignal | undefined;
    readonly log: Log | undefined;
  },
): Promise<ClipHead> {
  const before = findParameterSets(decode[0] ?? new Uint8Array());
  const [model] = before.sps;
  const parameterSetId = findFreeId(before);
  if (model === undefined || parameterSetId === undefined) {
    throw new ChalkreelError(
      'clip-plan-broken',
      `Expected a sequence parameter set to follow and a free id for the head, got ${before.sps.length} sets.`,
    );
  }
  const units = await encodeHead({ ...options, decode, body: parseSps(model), parameterSetId });
  const after = findParameterSets(units[0] ?? new Uint8Array());
  return {
    samples: units.map((unit) => ({
      data: toAvcSample(unit),
      isKey: findPictureType(unit) === NAL_TYPE.idrSlice,
    })),
    // Those of before come first: the record's profile and level are theirs.
    sets: { sps: [...before.sps, ...after.sps], pps: [...before.pps, ...after.pps] },
  };
}
