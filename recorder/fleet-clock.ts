import type { Clock } from '../src/clock.ts';
import { ChalkreelError } from '../src/errors.ts';
import type { Closable } from '../src/lifecycle.ts';
import type { Log } from '../src/log.ts';

/** Readings per comparison: the one with the least round trip is nearest to the truth. */
const READINGS = 5;
const COMPARE_EVERY_MS = 60_000;
/** A running recording's clock is put right by at most this much at a time, so that content time never steps. */
const MAX_SLEW_MS = 30;
/** A recording does not begin under a clock that is off, or may be, by more than this. */
const MAX_ERROR_MS = 100;

/** The fleet's clock: monotonic time of this machine plus an offset. A step of the system clock changes nothing. */
export type FleetClock = Closable & {
  /** Fleet Unix time minus CLOCK_MONOTONIC, ms. */
  readonly offsetMs: number;
  nowMs(): number;
  /**
   * To be called before a recording begins, and closed when it has ended. Measures anew: while nobody records the clock is put right
   * at once; else throws `clock-off` when it is off by more than 100 ms, since under running recordings it only creeps.
   */
  join(): Promise<Closable>;
};

export type FleetClockOptions = {
  readonly clock: Clock;
  readonly readFleetMs?: (() => Promise<number>) | undefined;
  readonly log: Log;
};

/**
 * Starts the fleet's clock. `readFleetMs` asks whoever keeps it (Redis TIME); without it this machine's own system clock, as it is
 * now, is the fleet's. Throws `clock-off` when the answer takes so long that 100 ms cannot be known.
 */
export async function startFleetClock(options: FleetClockOptions): Promise<FleetClock> {
  const { clock, readFleetMs, log } = options;
  // Alone on a machine nothing is to be compared with: the system clock may step, monotonic time does not.
  if (readFleetMs === undefined) return lonelyClock(clock);
  let offsetMs = await measureOffset(clock, readFleetMs);
  let users = 0;
  const compare = async (): Promise<void> => {
    const errorMs = (await measureOffset(clock, readFleetMs)) - offsetMs;
    offsetMs += users === 0 ? errorMs : Math.max(-MAX_SLEW_MS, Math.min(MAX_SLEW_MS, errorMs));
    if (Math.abs(errorMs) > MAX_SLEW_MS) {
      log.warn({ event: 'clock-off', errorMs }, 'the fleet clock moved against this machine');
    }
    if (users > 0 && Math.abs(errorMs) > MAX_ERROR_MS) throw clockOff(`is off by ${errorMs} ms`);
  };
  /** Whoever keeps the fleet's time may be away for a while: the clock goes on as it was. */
  const tryToCompare = async (): Promise<void> => {
    try {
      await compare();
    } catch (error) {
      if (error instanceof ChalkreelError && error.code === 'clock-off') throw error;
      log.warn({ event: 'clock-unread', error }, 'the fleet clock could not be read');
    }
  };
  const timer = setInterval(() => {
    // What is off was logged, and does not concern what is running.
    tryToCompare().catch(() => undefined);
  }, COMPARE_EVERY_MS).unref();
  return {
    get offsetMs() {
      return offsetMs;
    },
    nowMs: () => clock.monotonicMs() + offsetMs,
    join: async () => {
      await tryToCompare();
      users += 1;
      let isJoined = true;
      return {
        close: async () => {
          if (isJoined) users -= 1;
          isJoined = false;
        },
      };
    },
    close: async () => {
      clearInterval(timer);
    },
  };
}

function lonelyClock(clock: Clock): FleetClock {
  const offsetMs = clock.nowMs() - clock.monotonicMs();
  const nothing: Closable = { close: () => Promise.resolve() };
  return {
    ...nothing,
    offsetMs,
    nowMs: () => clock.monotonicMs() + offsetMs,
    join: () => Promise.resolve(nothing),
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
  if (best.roundTripMs > 2 * MAX_ERROR_MS) {
    throw clockOff(`cannot be known: reading it takes ${Math.round(best.roundTripMs)} ms`);
  }
  return best.offsetMs;
}

function clockOff(what: string): ChalkreelError {
  return new ChalkreelError(
    'clock-off',
    `Expected this worker's clock within ${MAX_ERROR_MS} ms of the fleet's; it ${what}.`,
    { fault: 'dependency' },
  );
}
