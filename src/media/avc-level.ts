/** One row of ITU-T H.264 table A-1: level_idc, MaxMBPS (macroblocks per second), MaxFS (macroblocks per frame). */
type LevelLimit = readonly [levelIdc: number, maxMbps: number, maxFs: number];

const LEVELS: readonly LevelLimit[] = [
  [10, 1_485, 99],
  [11, 3_000, 396],
  [12, 6_000, 396],
  [13, 11_880, 396],
  [21, 19_800, 792],
  [22, 20_250, 1_620],
  [30, 40_500, 1_620],
  [31, 108_000, 3_600],
  [32, 216_000, 5_120],
  [40, 245_760, 8_192],
  [42, 522_240, 8_704],
  [50, 589_824, 22_080],
  [51, 983_040, 36_864],
];

/** profile_idc 66 with constraint_set0 and 1: constrained baseline, which every player decodes. */
const CONSTRAINED_BASELINE = '42e0';

/** The lowest level_idc that allows this size at this rate. Throws a RangeError beyond level 5.1. */
export function avcLevelIdc(picture: {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}): number {
  const macroblocks = Math.ceil(picture.width / 16) * Math.ceil(picture.height / 16);
  const level = LEVELS.find(
    ([, maxMbps, maxFs]) => macroblocks <= maxFs && macroblocks * picture.fps <= maxMbps,
  );
  if (level === undefined) {
    throw new RangeError(
      `${picture.width}x${picture.height} at ${picture.fps} fps is beyond H.264 level 5.1`,
    );
  }
  return level[0];
}

/** RFC 6381 codec string of what the recorder encodes, e.g. `avc1.42e01f`. */
export function avcCodecString(picture: {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}): string {
  return `avc1.${CONSTRAINED_BASELINE}${avcLevelIdc(picture).toString(16).padStart(2, '0')}`;
}
