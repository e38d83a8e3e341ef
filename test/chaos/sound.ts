import { DEFAULT_PTS_ORIGIN_90K, TICKS_PER_SECOND } from '../../src/model/grid.ts';
import { findBeeps } from '../support/flash-beep-reader.ts';
import type { Pcm } from '../support/pcm.ts';
import type { Absence } from './lost-time.ts';

/** Around a join this much is listened to, ms. */
const LISTEN_MS = 60;
/** The page beeps for 100 ms from each full second on; sound may lie 100 ms off, and AAC smears a frame. */
const BEEP_FROM_MS = -150;
const BEEP_TO_MS = 300;
/** A beep belongs to a full second when it is this near. Sound lies within 100 ms of where it was heard. */
const NEAR_MS = 250;
/** A page opened by a new maker begins to beep with its second full second at the latest, after up to 2 s of loading. */
const FIRST_BEEP_MS = 4000;

/** The loudest sample within 60 ms of joins that lie in the class's silence, dBFS; −120 where nothing but zeros is. */
export function loudestAtJoins(
  pcm: Pcm,
  { originMs, joinsMs }: { readonly originMs: number; readonly joinsMs: readonly number[] },
): number | undefined {
  const quiet = joinsMs.filter((joinMs) => !isNearBeep(joinMs));
  if (quiet.length === 0) return undefined;
  const peaks = quiet.map((joinMs) => {
    const from = sampleAt(pcm, originMs, joinMs - LISTEN_MS);
    const to = sampleAt(pcm, originMs, joinMs + LISTEN_MS);
    return pcm.samples
      .subarray(Math.max(0, from), Math.max(0, to))
      .reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  });
  return Math.max(-120, 20 * Math.log10(Math.max(...peaks, 1e-9)));
}

/**
 * Full seconds of the class without their one beep: silent, or beeping twice. Left out are those in an absence, and those a maker's page
 * may still have been opening.
 */
export function countWrongBeeps(
  pcm: Pcm,
  options: {
    readonly originMs: number;
    readonly absences: readonly Absence[];
    /** When a new maker's page was opened or its first segment began, Unix ms. */
    readonly openedMs: readonly number[];
  },
): number {
  const { originMs, absences, openedMs } = options;
  const heardMs = findBeeps(pcm).map((s) => wallMs(originMs, s));
  const [first, last] = [heardMs[0], heardMs.at(-1)];
  if (first === undefined || last === undefined) throw new Error('Expected beeps, heard none.');
  let wrong = 0;
  for (let second = nearestSecond(first); second <= nearestSecond(last); second += 1000) {
    const isExcused =
      absences.some(({ fromMs, toMs }) => second > fromMs - NEAR_MS && second < toMs + NEAR_MS) ||
      openedMs.some((atMs) => second > atMs - NEAR_MS && second < atMs + FIRST_BEEP_MS);
    if (isExcused) continue;
    if (heardMs.filter((ms) => Math.abs(ms - second) <= NEAR_MS).length !== 1) wrong += 1;
  }
  return wrong;
}

function isNearBeep(atMs: number): boolean {
  const afterSecond = atMs - nearestSecond(atMs);
  return afterSecond >= BEEP_FROM_MS && afterSecond <= BEEP_TO_MS;
}

function nearestSecond(ms: number): number {
  return Math.round(ms / 1000) * 1000;
}

function wallMs(originMs: number, ptsS: number): number {
  return originMs + (ptsS - DEFAULT_PTS_ORIGIN_90K / TICKS_PER_SECOND) * 1000;
}

function sampleAt(pcm: Pcm, originMs: number, atMs: number): number {
  const ptsS = (atMs - originMs) / 1000 + DEFAULT_PTS_ORIGIN_90K / TICKS_PER_SECOND;
  return Math.round((ptsS - pcm.startS) * pcm.sampleRate);
}
