import { ChalkreelError } from '../../errors.ts';
import { AAC_FRAME_TICKS, PTS_MODULUS } from '../../model/grid.ts';
import type { AccessUnit, AccessUnitIndex } from '../../model/segment.ts';
import { avcSampleBytes } from '../avc-sample.ts';
import { findAccessUnitIndex, MAX_INDEX_BYTES } from './access-unit-index.ts';
import {
  findIndexedUnits,
  planUnitBytes,
  type UnitRange,
  type UnitRanges,
} from './indexed-segment-reader.ts';
import { readSegment } from './segment-reader.ts';

/** A segment's bytes, wherever they are. */
export type SegmentBytes = {
  readonly length: number;
  /** From byte `start` to before `end`. */
  read(start: number, end: number): Promise<Uint8Array>;
};

/** A picture or frame, as far as it is known without its bytes. */
export type Unit = Pick<AccessUnit, 'offset90k' | 'isKey' | 'sampleBytes'>;

/** Media of some of a segment's units: Annex B access units, and raw AAC frames. */
export type Units = {
  readonly pictures: readonly Uint8Array[];
  readonly frames: readonly Uint8Array[];
};

/** A segment of which is known what it holds, and of which just the needed bytes are read. */
export type SegmentSource = {
  /** Known by its own access-unit index; else it had to be parsed whole. */
  readonly isIndexed: boolean;
  /** In order. */
  readonly pictures: readonly Unit[];
  /** Contiguous from the segment's start: 75 when it is whole. */
  readonly frames: readonly Unit[];
  /** Reads units. Throws `segment-index-untrue` when the bytes are not what the index says: then the segment must be opened with `parse`. */
  read(ranges: UnitRanges): Promise<Units>;
};

/**
 * Finds out what a segment holds, by the index at its end where it has one, else (or with `parse`) by reading and parsing it whole. Times are
 * relative to its start, so neither the recording's PTS origin nor a wrap of the 33 bits matters. Throws `media-invalid`.
 */
export async function openSegment(
  bytes: SegmentBytes,
  { parse = false }: { readonly parse?: boolean } = {},
): Promise<SegmentSource> {
  if (parse) return parseWhole(bytes);
  const end = await bytes.read(Math.max(0, bytes.length - MAX_INDEX_BYTES), bytes.length);
  const index = findAccessUnitIndex(end, bytes.length);
  return index === undefined ? parseWhole(bytes) : indexedSource(bytes, index);
}

/** Every unit of a segment. */
export function allUnits({ pictures, frames }: SegmentSource): UnitRanges {
  return { pictures: { from: 0, to: pictures.length }, frames: { from: 0, to: frames.length } };
}

function indexedSource(bytes: SegmentBytes, index: AccessUnitIndex): SegmentSource {
  return {
    isIndexed: true,
    pictures: index.pictures,
    frames: index.frames,
    read: async (ranges) => {
      const { start, end } = planUnitBytes(index, ranges);
      if (start === end) return { pictures: [], frames: [] };
      const part = { bytes: await bytes.read(start, end), at: start };
      const found = findIndexedUnits(index, part, ranges);
      if (found !== undefined) return toUnits(found);
      throw new ChalkreelError(
        'segment-index-untrue',
        `Expected the segment's bytes ${start} to ${end} to be what its access-unit index says, they are not.`,
      );
    },
  };
}

async function parseWhole(bytes: SegmentBytes): Promise<SegmentSource> {
  const { pictures, audioFrames } = readSegment(await bytes.read(0, bytes.length));
  const start90k = pictures[0]?.pts90k ?? audioFrames[0]?.pts90k ?? 0;
  const offset = (pts90k: number): number => (pts90k - start90k + PTS_MODULUS) % PTS_MODULUS;
  const broken = audioFrames.findIndex(
    ({ pts90k }, index) => offset(pts90k) !== index * AAC_FRAME_TICKS,
  );
  const frames = broken === -1 ? audioFrames : audioFrames.slice(0, broken);
  return {
    isIndexed: false,
    pictures: pictures.map(({ pts90k, isKey, data }) => ({
      offset90k: offset(pts90k),
      isKey,
      sampleBytes: avcSampleBytes(data),
    })),
    frames: frames.map(({ data }, index) => ({
      offset90k: index * AAC_FRAME_TICKS,
      isKey: true,
      sampleBytes: data.length,
    })),
    // Read once more when it is needed: a clip of many such segments would fill the memory.
    read: async (ranges) => {
      const media = readSegment(await bytes.read(0, bytes.length));
      const part = <T>(units: readonly T[], { from, to }: UnitRange): readonly T[] =>
        units.slice(from, to);
      return toUnits({
        pictures: part(media.pictures, ranges.pictures),
        audioFrames: part(media.audioFrames, ranges.frames),
      });
    },
  };
}

function toUnits(media: {
  readonly pictures: readonly { readonly data: Uint8Array }[];
  readonly audioFrames: readonly { readonly data: Uint8Array }[];
}): Units {
  return {
    pictures: media.pictures.map(({ data }) => data),
    frames: media.audioFrames.map(({ data }) => data),
  };
}
