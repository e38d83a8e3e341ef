/** Where time comes from, so that tests own it. */
export type Clock = {
  /** Unix time on the fleet's clock, ms (may have a fraction). */
  nowMs(): number;
  /** Monotonic time (CLOCK_MONOTONIC), ms with a fraction. Never steps. */
  monotonicMs(): number;
};

/** This machine's clocks, as they are. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
};
