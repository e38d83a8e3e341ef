import type { Sps } from './sps.ts';

/** level_idc → macroblocks a second, macroblocks a frame, macroblocks of decoded pictures (table A-1). */
const LIMITS: ReadonlyMap<number, readonly [number, number, number]> = new Map([
  [9, [1_485, 99, 396]],
  [10, [1_485, 99, 396]],
  [11, [3_000, 396, 900]],
  [12, [6_000, 396, 2_376]],
  [13, [11_880, 396, 2_376]],
  [20, [11_880, 396, 2_376]],
  [21, [19_800, 792, 4_752]],
  [22, [20_250, 1_620, 8_100]],
  [30, [40_500, 1_620, 8_100]],
  [31, [108_000, 3_600, 18_000]],
  [32, [216_000, 5_120, 20_480]],
  [40, [245_760, 8_192, 32_768]],
  [41, [245_760, 8_192, 32_768]],
  [42, [522_240, 8_704, 34_816]],
  [50, [589_824, 22_080, 110_400]],
  [51, [983_040, 36_864, 184_320]],
  [52, [2_073_600, 36_864, 184_320]],
  [60, [4_177_920, 139_264, 696_320]],
  [61, [8_355_840, 139_264, 696_320]],
  [62, [16_711_680, 139_264, 696_320]],
]);
const PROFILES_WITH_LEVEL_1B_FLAG = [66, 77, 88];

/** Says what the level does not allow at `fps`, or undefined when it allows all. */
export function findLevelExcess(sps: Sps, fps: number): string | undefined {
  const is1b =
    sps.level === 11 && sps.constraintSet3 && PROFILES_WITH_LEVEL_1B_FLAG.includes(sps.profile);
  const limits = LIMITS.get(is1b ? 9 : sps.level);
  if (!limits) return `level_idc ${sps.level} does not exist`;
  const [perSecond, perFrame, decoded] = limits;
  const macroblocks = sps.widthMbs * sps.heightMbs;
  const longestSide = Math.sqrt(8 * perFrame);
  const level = `level_idc ${sps.level}`;
  if (macroblocks > perFrame) return `${level} allows ${perFrame} macroblocks, not ${macroblocks}`;
  if (Math.max(sps.widthMbs, sps.heightMbs) > longestSide) return `${level}: a side is too long`;
  if (macroblocks * fps > perSecond) {
    return `${level} allows ${perSecond} macroblocks a second, not ${macroblocks * fps}`;
  }
  if (macroblocks * sps.maxRefFrames > decoded) {
    return `${level} does not hold ${sps.maxRefFrames} reference frames`;
  }
  return undefined;
}
