/**
 * One row of ITU-T H.264 table A-1: level_idc, MaxMBPS (macroblocks per second), MaxFS (macroblocks per frame), MaxBR (1000 bits
 * per second).
 */
type LevelLimit = readonly [levelIdc: number, maxMbps: number, maxFs: number, maxBr: number];

const LEVELS: readonly LevelLimit[] = [
  [10, 1_485, 99, 64],
  [11, 3_000, 396, 192],
  [12, 6_000, 396, 384],
  [13, 11_880, 396, 768],
  [21, 19_800, 792, 4_000],
  [22, 20_250, 1_620, 4_000],
  [30, 40_500, 1_620, 10_000],
  [31, 108_000, 3_600, 14_000],
  [32, 216_000, 5_120, 20_000],
  [40, 245_760, 8_192, 20_000],
  [42, 522_240, 8_704, 50_000],
  [50, 589_824, 22_080, 135_000],
  [51, 983_040, 36_864, 240_000],
];

/** profile_idc 66 with constraint_set0 and 1: constrained baseline, which every player decodes. */
const CONSTRAINED_BASELINE = '42e0';

type Picture = { readonly width: number; readonly height: number; readonly fps: number };

/** The lowest level_idc that allows this size at this rate. Throws a RangeError beyond level 5.1. */
export function avcLevelIdc(picture: Picture): number {
  return lowestLevel(picture)[0];
}

/** Bits per second that this size's and rate's level allows; more would raise the level. Throws as `avcLevelIdc`. */
export function avcMaxBitrate(picture: Picture): number {
  return lowestLevel(picture)[3] * 1000;
}

/** RFC 6381 codec string of what the recorder encodes, e.g. `avc1.42e01f`. */
export function avcCodecString(picture: Picture): string {
  return `avc1.${CONSTRAINED_BASELINE}${avcLevelIdc(picture).toString(16).padStart(2, '0')}`;
}

function lowestLevel({ width, height, fps }: Picture): LevelLimit {
  const macroblocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  const level = LEVELS.find(
    ([, maxMbps, maxFs]) => macroblocks <= maxFs && macroblocks * fps <= maxMbps,
  );
  if (level !== undefined) return level;
  throw new RangeError(`${width}x${height} at ${fps} fps is beyond H.264 level 5.1`);
}
