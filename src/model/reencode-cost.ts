import type { ReencodeCodec, ReencodeProfile } from './reencode.ts';

/**
 * Encoder time for a ms of 720p of a class, on one thread, before it was ever measured here: rough, and too much rather than too
 * little. After the first recording of a kind the fleet's own measurement counts.
 */
const FIRST_GUESS: Readonly<Record<ReencodeCodec, number>> = { avc: 0.6, hevc: 1.2, av1: 1.2 };
const GUESSED_HEIGHT = 720;
const SOUND_COST = 0.02;

/** What costs alike: measured costs are kept under this name. */
export function costKind({ video }: Pick<ReencodeProfile, 'video'>): string {
  if (video === null) return 'sound';
  return [video.codec, `${video.height}p`, video.preset, `t${video.threads}`].join('-');
}

/** Encoder time for a ms of source: as measured, else guessed. */
export function costOf(profile: ReencodeProfile, measured: ReadonlyMap<string, number>): number {
  const known = measured.get(costKind(profile));
  if (known !== undefined) return known;
  const { video } = profile;
  if (video === null) return SOUND_COST;
  return FIRST_GUESS[video.codec] * (video.height / GUESSED_HEIGHT) ** 2;
}
