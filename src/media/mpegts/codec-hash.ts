import { createHash } from 'node:crypto';
import { AUDIO_SPECIFIC_CONFIG } from '../aac.ts';
import { findParameterSets } from '../h264.ts';
import { findIndexedMedia } from './indexed-segment-reader.ts';
import { readSegment } from './segment-reader.ts';

/** A short name for a codec's parameter sets (none when there is only sound) and audio configuration: equal ones need no discontinuity. */
export function hashCodec(parameterSets: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const set of [...parameterSets, AUDIO_SPECIFIC_CONFIG]) {
    hash.update(`${set.length}:`).update(set);
  }
  return hash.digest('hex').slice(0, 16);
}

/** The same, read from a segment's bytes; undefined when they are no segment. */
export function hashSegmentCodec(segment: Uint8Array): string | undefined {
  try {
    const { pictures } = findIndexedMedia(segment) ?? readSegment(segment);
    const [first] = pictures;
    if (first === undefined) return hashCodec([]);
    const { sps, pps } = findParameterSets(first.data);
    return hashCodec([...sps, ...pps]);
  } catch {
    return undefined;
  }
}
