import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startFleetClock, type FleetClock } from '../../../recorder/fleet-clock.ts';
import type { Clock } from '../../../src/clock.ts';
import { createLog } from '../../../src/log.ts';

const MINUTE_MS = 60_000;
/** Written in the recorder as well: a running clock is put right by at most this much a minute. */
const MAX_SLEW_MS = 30;

/** A machine whose clocks are set by the test; reading the fleet's takes `roundTripMs`. */
class Machine implements Clock {
  monotonic = 5_000_000;
  system = 1_772_000_000_000;
  fleet = 1_772_000_000_040;
  roundTripMs = 2;
  readings = 0;
  isAway = false;

  nowMs(): number {
    return this.system;
  }

  monotonicMs(): number {
    return this.monotonic;
  }

  async pass(ms: number): Promise<void> {
    this.monotonic += ms;
    this.system += ms;
    this.fleet += ms;
    await vi.advanceTimersByTimeAsync(ms);
  }

  readonly readFleetMs = (): Promise<number> => {
    this.readings += 1;
    if (this.isAway) return Promise.reject(new Error('Redis is away'));
    // Only each third reading is as quick as it gets; the others are late on their way back.
    const backMs = this.readings % 3 === 0 ? 0 : 40;
    this.#step(this.roundTripMs / 2);
    const answer = this.fleet;
    this.#step(this.roundTripMs / 2 + backMs);
    return Promise.resolve(answer);
  };

  #step(ms: number): void {
    this.monotonic += ms;
    this.system += ms;
    this.fleet += ms;
  }
}

let machine: Machine;
let clock: FleetClock;
const log = createLog('test', 'silent');

beforeEach(() => {
  vi.useFakeTimers();
  machine = new Machine();
});
afterEach(async () => {
  await clock.close();
  vi.useRealTimers();
});

const start = async (): Promise<void> => {
  clock = await startFleetClock({ clock: machine, readFleetMs: machine.readFleetMs, log });
};
const error = (): number => clock.nowMs() - machine.fleet;

describe('the fleet’s clock', () => {
  it('is right from the start, by the reading with the least round trip', async () => {
    await start();
    expect(error()).toBe(0);
    await machine.pass(1234.5);
    expect(error()).toBe(0);
  });

  it('does not feel a step of this machine’s system clock', async () => {
    await start();
    await clock.join();
    for (const step of [3_600_000, -86_400_000, 150]) {
      machine.system += step;
      await machine.pass(3 * MINUTE_MS);
      expect(error()).toBe(0);
    }
    await expect(clock.join()).resolves.toBeDefined();
  });

  it('creeps to a fleet that moved while it records, never back in time, and says so', async () => {
    const warn = vi.spyOn(log, 'warn');
    await start();
    await clock.join();
    machine.fleet -= 75;
    let before = clock.nowMs();
    for (const left of [45, 15, 0, 0]) {
      await machine.pass(MINUTE_MS);
      expect(error()).toBe(left);
      const passed = clock.nowMs() - before;
      // The readings themselves take some of the time; half a second at the most.
      expect(passed).toBeGreaterThanOrEqual(MINUTE_MS - MAX_SLEW_MS);
      expect(passed).toBeLessThan(MINUTE_MS + 500);
      before = clock.nowMs();
    }
    expect(warn.mock.calls.map(([facts]) => (facts as { errorMs?: number }).errorMs)).toEqual([
      -75, -45,
    ]);
  });

  it('refuses to begin a recording while it is off by more than 100 ms, and begins again when it is not', async () => {
    await start();
    const running = await clock.join();
    machine.fleet += 150;
    await expect(clock.join()).rejects.toMatchObject({ code: 'clock-off', retryable: true });
    // 30 ms have been made up by that measurement, 30 more by each that follows.
    await expect(clock.join()).rejects.toThrow('off by 120 ms');
    await expect(clock.join()).resolves.toBeDefined();
    expect(error()).toBe(-60);
    await running.close();
  });

  it('is put right at once while nobody records', async () => {
    await start();
    const running = await clock.join();
    await running.close();
    await running.close();
    machine.fleet += 3_600_000;
    await expect(clock.join()).resolves.toBeDefined();
    expect(error()).toBe(0);
  });

  it('does not start when the fleet’s time takes too long to read to be known', async () => {
    await start();
    machine.roundTripMs = 201;
    const slow = startFleetClock({ clock: machine, readFleetMs: machine.readFleetMs, log });
    await expect(slow).rejects.toThrow('reading it takes 201 ms');
  });

  it('goes on as it was while nobody can be asked', async () => {
    await start();
    await clock.join();
    machine.isAway = true;
    await machine.pass(10 * MINUTE_MS);
    await expect(clock.join()).resolves.toBeDefined();
    expect(error()).toBe(0);
  });

  it('is this machine’s own where there is no fleet, as it was at the start', async () => {
    clock = await startFleetClock({ clock: machine, log });
    machine.system += 5000;
    await machine.pass(MINUTE_MS);
    expect(clock.nowMs()).toBe(machine.system - 5000);
    expect(machine.readings).toBe(0);
    await expect(clock.join()).resolves.toBeDefined();
  });
});
