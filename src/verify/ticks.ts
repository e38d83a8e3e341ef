/** 90 kHz ticks of one segment of 1.6 s. */
export const SEGMENT_TICKS = 144_000;
/** 90 kHz ticks of 100 ms: the longest way between tables, and between PCRs. */
export const TABLE_INTERVAL_TICKS = 9_000;
/** PTS, DTS and the PCR base are 33 bits wide. */
export const TIME_MODULUS = 2 ** 33;
/** The 27 MHz clock runs 300 times as fast as PTS. */
export const CLOCK_RATIO = 300;

/** Brings a number of 90 kHz ticks into 0 … 2^33 − 1. */
export function wrapTicks(ticks: number): number {
  return ((ticks % TIME_MODULUS) + TIME_MODULUS) % TIME_MODULUS;
}

/** The signed way from `from` to `to` in 90 kHz ticks, the short way round the wrap. */
export function ticksBetween(from: number, to: number): number {
  return shortWay(to - from, TIME_MODULUS);
}

/** The signed way from `from` to `to` on the 27 MHz clock, the short way round the wrap. */
export function clockBetween(from: number, to: number): number {
  return shortWay(to - from, TIME_MODULUS * CLOCK_RATIO);
}

function shortWay(difference: number, modulus: number): number {
  const positive = ((difference % modulus) + modulus) % modulus;
  return positive >= modulus / 2 ? positive - modulus : positive;
}

/** The value that occurs most often; the earliest of equals; undefined for none. */
export function mostCommon(values: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best: number | undefined;
  for (const [value, count] of counts) {
    if (best === undefined || count > (counts.get(best) ?? 0)) best = value;
  }
  return best;
}
