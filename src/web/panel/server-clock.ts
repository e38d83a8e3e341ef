/** An answer that told the service's time: sent and received by this device's clock, Unix ms. */
export type ClockSample = {
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  readonly serverMs: number;
};

/** The service's clock as this device knows it: a phone may be minutes off, a moment is meant to the second. */
export type ServerClock = {
  note(sample: ClockSample): void;
  /** Unix ms; this device's own time until the service has told its. */
  nowMs(): number;
};

/** A better answer than the newest is not believed for longer: quartz drifts by a few ms in this time. */
const BEST_FOR_MS = 60_000;

type Estimate = { readonly offsetMs: number; readonly errorMs: number; readonly atMs: number };

/** Keeps the answer with the shortest way, until it is old or this device's clock was set. */
export function createServerClock(localMs: () => number = () => Date.now()): ServerClock {
  let best: Estimate | undefined;
  return {
    note({ sentAtMs, receivedAtMs, serverMs }) {
      const errorMs = (receivedAtMs - sentAtMs) / 2;
      // This device's clock was set while the answer was on its way.
      if (errorMs < 0) return;
      const offsetMs = serverMs - (sentAtMs + receivedAtMs) / 2;
      const sample = { offsetMs, errorMs, atMs: receivedAtMs };
      if (best === undefined || replaces(sample, best)) best = sample;
    },
    nowMs: () => Math.round(localMs() + (best?.offsetMs ?? 0)),
  };
}

function replaces(sample: Estimate, best: Estimate): boolean {
  const cannotBothBeTrue =
    Math.abs(sample.offsetMs - best.offsetMs) > sample.errorMs + best.errorMs;
  const isOld = Math.abs(sample.atMs - best.atMs) > BEST_FOR_MS;
  return sample.errorMs <= best.errorMs || isOld || cannotBothBeTrue;
}
