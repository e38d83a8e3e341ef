import type { Clock } from '../src/clock.ts';
import type { Closable } from '../src/lifecycle.ts';
import type { Log } from '../src/log.ts';

/** Readings per comparison: the one with the least round trip is nearest to the truth. */
const READINGS = 5;
const COMPARE_EVERY_MS = 60_000;
/** A running recording's clock is put right by at most this much at a time, so that content time never steps. */
const MAX_SLEW_MS = 30;

/** The fleet's clock: monotonic time of this machine plus an offset. A step of the system clock changes nothing. */
export type FleetClock = Closable & {
  /** Fleet Unix time minus CLOCK_MONOTONIC, ms. */
  readonly offsetMs: number;
  nowMs(): number;
};

/**
 * Starts the fleet's clock. `readFleetMs` asks whoever keeps it (Redis TIME); without it this machine's own system
 * clock, as it is now, is the fleet's.
 */
export async function startFleetClock(options: {
  readonly clock: Clock;
  readonly readFleetMs?: (() => Promise<number>) | undefined;
  readonly log: Log;
}): Promise<FleetClock> {
  const { clock, log } = options;
  const readFleetMs = options.readFleetMs ?? (() => Promise.resolve(clock.nowMs()));
  let offsetMs = await measureOffset(clock, readFleetMs);
  const compare = async (): Promise<void> => {
    const error = (await measureOffset(clock, readFleetMs)) - offsetMs;
    offsetMs += Math.max(-MAX_SLEW_MS, Math.min(MAX_SLEW_MS, error));
    if (Math.abs(error) > MAX_SLEW_MS) {
      log.warn(
        { event: 'clock-off', errorMs: error },
        'the fleet clock moved against this machine',
      );
    }
  };
  // Alone on a machine nothing is to be compared with: the system clock may step, monotonic time does not.
  const timer =
    options.readFleetMs === undefined
      ? undefined
      : setInterval(() => {
          compare().catch((error: unknown) => {
            log.warn({ event: 'clock-unread', error }, 'the fleet clock could not be read');
          });
        }, COMPARE_EVERY_MS).unref();
  return {
    get offsetMs() {
      return offsetMs;
    },
    nowMs: () => clock.monotonicMs() + offsetMs,
    close: () => {
      clearInterval(timer);
      return Promise.resolve();
    },
  };
}

async function measureOffset(clock: Clock, readFleetMs: () => Promise<number>): Promise<number> {
  let best = { roundTripMs: Infinity, offsetMs: 0 };
  for (let i = 0; i < READINGS; i += 1) {
    const before = clock.monotonicMs();
    const fleetMs = await readFleetMs();
    const roundTripMs = clock.monotonicMs() - before;
    if (roundTripMs < best.roundTripMs) {
      best = { roundTripMs, offsetMs: fleetMs - (before + roundTripMs / 2) };
    }
  }
  return best.offsetMs;
}
