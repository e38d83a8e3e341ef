import { DEFAULT_PTS_ORIGIN_90K, SEGMENT_MS, TICKS_PER_SECOND } from '../../src/model/grid.ts';
import type { ReadBarcode } from '../support/barcode-reader.ts';
import type { Entry } from './served-playlist.ts';

/** A picture of the class. */
export type Shown = {
  /** When it was drawn, and where it lies in the recording, both Unix ms. */
  readonly drawnMs: number;
  readonly placedMs: number;
  /** Counts what one Chrome has drawn. */
  readonly frameNumber: number;
  /** Whose segment it is in. */
  readonly maker: string;
};

/**
 * Time of the class that is on no picture counts as lost from here on. The grid lets a picture stand for 200 ms; a machine on which
 * another Chrome is just being launched may make it twice that.
 */
const LOST_FROM_MS = 400;
/** Drawn in a time that is long enough to be an absence: the next picture, and one that another overtook. */
const STARVED_FRAMES = 2;

/** The readable pictures of a recording, each once, in order of their place. */
export function placePictures(
  codes: readonly ReadBarcode[],
  recording: { readonly originMs: number; readonly entries: readonly Entry[] },
): readonly Shown[] {
  const makers = new Map(recording.entries.map(({ n, maker }) => [n, maker]));
  const shown: Shown[] = [];
  for (const code of codes) {
    if (!code.valid) continue;
    const afterOriginMs = (code.ptsS - DEFAULT_PTS_ORIGIN_90K / TICKS_PER_SECOND) * 1000;
    const picture = {
      drawnMs: code.clockMs,
      placedMs: recording.originMs + afterOriginMs,
      frameNumber: code.frameNumber,
      maker: makers.get(segmentOf(afterOriginMs)) ?? '',
    };
    // The same drawing again is a filler.
    if (shown.at(-1)?.drawnMs !== picture.drawnMs) shown.push(picture);
  }
  return shown;
}

/** A time of the class that no picture shows, Unix ms. */
export type Absence = {
  readonly fromMs: number;
  readonly toMs: number;
  /** The class's own page has drawn nothing meanwhile, for want of CPU: nobody could have recorded it. */
  readonly isStarved: boolean;
};

/** Times of the class between two pictures, and up to `endMs`, that are on none. */
export function findAbsences(
  shown: readonly Shown[],
  { frameMs, endMs }: { readonly frameMs: number; readonly endMs: number },
): readonly Absence[] {
  return shown.flatMap((before, i) => {
    const after = shown[i + 1];
    const fromMs = before.drawnMs + frameMs;
    const toMs = after?.drawnMs ?? endMs;
    if (toMs - fromMs < LOST_FROM_MS) return [];
    const isStarved =
      after?.maker === before.maker && after.frameNumber - before.frameNumber <= STARVED_FRAMES;
    return [{ fromMs, toMs, isStarved }];
  });
}

/** Sum of absences in which the class went on, s. */
export function lostSeconds(absences: readonly Absence[]): number {
  return secondsOf(absences.filter(({ isStarved }) => !isStarved));
}

/** Sum of those in which its page stood still, s. */
export function starvedSeconds(absences: readonly Absence[]): number {
  return secondsOf(absences.filter(({ isStarved }) => isStarved));
}

function secondsOf(absences: readonly Absence[]): number {
  return absences.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0) / 1000;
}

/**
 * How many frames of the class are missing (positive) or repeated (negative) between the last picture before a place in the recording
 * and the first after it. Undefined where there is none on a side.
 */
export function framesAtJoin(
  shown: readonly Shown[],
  placedMs: number,
  frameMs: number,
): number | undefined {
  // Half a slot of slack: places are whole slots, their times are not whole milliseconds.
  const after = shown.findIndex((picture) => picture.placedMs >= placedMs - frameMs / 2);
  const [before, first] = [shown[after - 1], shown[after]];
  if (before === undefined || first === undefined) return undefined;
  return slotOf(first.drawnMs, frameMs) - slotOf(before.drawnMs, frameMs) - 1;
}

/** Of each segment: how far its pictures lie from the time at which they were drawn, in the middle, ms. */
export function misplacedMs(
  shown: readonly Shown[],
  originMs: number,
): ReadonlyMap<number, number> {
  const errors = new Map<number, number[]>();
  for (const { drawnMs, placedMs } of shown) {
    const n = segmentOf(placedMs - originMs);
    errors.set(n, [...(errors.get(n) ?? []), placedMs - drawnMs]);
  }
  return new Map([...errors].map(([n, values]) => [n, middle(values)]));
}

/** The page draws once in each slot of its wall clock, and tells the time in whole ms: a slot's edge may be rounded down. */
function slotOf(drawnMs: number, frameMs: number): number {
  return Math.floor((drawnMs + 1) / frameMs);
}

function segmentOf(afterOriginMs: number): number {
  return Math.floor(afterOriginMs / SEGMENT_MS + 1e-6);
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
