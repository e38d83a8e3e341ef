import { box, fullBox, timeField, toBuffer, u32, UINT32_MAX, type Piece } from './box.ts';
import { initialMoov, mdatHeader, trackIdOf, type FragmentedTrack } from './header.ts';

/** One sample of a fragment. */
export type FragmentSample = {
  readonly bytes: number;
  /** Time it lasts in decoding order, in the track's own ticks. */
  readonly duration: number;
  /** By how much later than decoded it is shown; may be negative. */
  readonly compositionOffset: number;
  readonly isKey: boolean;
};

/** Depends on others, is not a sync sample; and depends on none (ISO/IEC 14496-12 §8.8.3.1). */
const SAMPLE_FLAGS = { other: 0x0101_0000, key: 0x0200_0000 } as const;
const TFHD = { defaultDuration: 0x8, defaultFlags: 0x20, baseIsMoof: 0x2_0000 } as const;
const TRUN = { dataOffset: 0x1, duration: 0x100, size: 0x200, flags: 0x400, composition: 0x800 };

/** What a CMAF track begins with: `ftyp` and `moov` (ISO/IEC 23000-19 §7.3.1). */
export function initSegment(track: FragmentedTrack, createdAtMs: number): Buffer {
  const brands = Buffer.from('iso6iso6cmfcmp41');
  return toBuffer([
    ...box('ftyp', brands.subarray(0, 4), u32(0), brands.subarray(4)),
    ...initialMoov(track, createdAtMs),
  ]);
}

/**
 * All of a fragment but its media: `moof` and the head of `mdat`. The samples follow in order; `baseTime` is the first one's decoding
 * time in the track's ticks, `sequence` counts fragments from 1.
 */
export function fragmentHeader(
  track: Pick<FragmentedTrack, 'kind'>,
  fragment: {
    readonly sequence: number;
    readonly baseTime: number;
    readonly samples: readonly FragmentSample[];
  },
): Buffer {
  const dataLength = fragment.samples.reduce((sum, { bytes }) => sum + bytes, 0);
  const header = mdatHeader(dataLength);
  const length = toBuffer(moof(track, fragment, 0)).length + header.length;
  return Buffer.concat([toBuffer(moof(track, fragment, length)), header]);
}

function moof(
  track: Pick<FragmentedTrack, 'kind'>,
  fragment: Parameters<typeof fragmentHeader>[1],
  dataOffset: number,
): readonly Piece[] {
  const { sequence, baseTime, samples } = fragment;
  const version = baseTime > UINT32_MAX ? 1 : 0;
  const [first] = samples;
  // What is the same for all of them is said once.
  const fields = {
    duration: samples.some(({ duration }) => duration !== first?.duration),
    flags: samples.some(({ isKey }) => isKey !== first?.isKey),
    composition: samples.some(({ compositionOffset }) => compositionOffset !== 0),
  };
  const tfhd = [
    ...(fields.duration ? [] : [{ flag: TFHD.defaultDuration, value: first?.duration ?? 0 }]),
    ...(fields.flags ? [] : [{ flag: TFHD.defaultFlags, value: flagsOf(first) }]),
  ];
  const tfhdFlags = tfhd.reduce<number>((sum, { flag }) => sum | flag, TFHD.baseIsMoof);
  return box(
    'moof',
    fullBox('mfhd', {}, u32(sequence)),
    box(
      'traf',
      fullBox(
        'tfhd',
        { flags: tfhdFlags },
        u32(trackIdOf(track), ...tfhd.map(({ value }) => value)),
      ),
      fullBox('tfdt', { version }, timeField(version, baseTime)),
      trun(samples, fields, dataOffset),
    ),
  );
}

type Fields = {
  readonly duration: boolean;
  readonly flags: boolean;
  readonly composition: boolean;
};

/** Version 1: composition offsets are signed (§8.8.8). */
function trun(
  samples: readonly FragmentSample[],
  fields: Fields,
  dataOffset: number,
): readonly Piece[] {
  const rows = samples.flatMap((sample) => [
    ...(fields.duration ? [sample.duration] : []),
    sample.bytes,
    ...(fields.flags ? [flagsOf(sample)] : []),
    ...(fields.composition ? [sample.compositionOffset >>> 0] : []),
  ]);
  const flags =
    TRUN.dataOffset |
    TRUN.size |
    (fields.duration ? TRUN.duration : 0) |
    (fields.flags ? TRUN.flags : 0) |
    (fields.composition ? TRUN.composition : 0);
  return fullBox('trun', { version: 1, flags }, u32(samples.length, dataOffset, ...rows));
}

function flagsOf(sample: Pick<FragmentSample, 'isKey'> | undefined): number {
  return sample?.isKey === false ? SAMPLE_FLAGS.other : SAMPLE_FLAGS.key;
}
