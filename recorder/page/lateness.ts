import { ArrivalAnchor } from './arrival-anchor.ts';

/** Weight of a new value in the mean over a moment: half of it is of the last 50 values, 1 to 2 s. */
const RECENT_WEIGHT = 0.014;

/** Timestamps that fall by more are those of another clock: at its start a capture changes clocks, ms. */
const REBASED_MS = 5;

/** Means of a lateness, ms: over all, and over the last moments. */
export type Lateness = { readonly meanMs: number; readonly recentMs: number };

/** Mean of how much later than its own time something lies on the grid. */
export class LatenessMean {
  #count = 0;
  #sum = 0;
  #recent = 0;

  add(lateMs: number): void {
    this.#count += 1;
    this.#sum += lateMs;
    const weight = Math.max(RECENT_WEIGHT, 1 / this.#count);
    this.#recent += weight * (lateMs - this.#recent);
  }

  /** Null while there is nothing to take a mean of. */
  get value(): Lateness | null {
    if (this.#count === 0) return null;
    return { meanMs: this.#sum / this.#count, recentMs: this.#recent };
  }
}

/**
 * When captured sound was captured, by the capture's own timestamps, anchored by their arrivals: independent of the sound
 * grid, which counts samples.
 */
export class CaptureTimes {
  readonly #inputRate: number;
  #anchor = new ArrivalAnchor();
  #last: { readonly index: number; readonly timestampMs: number } | undefined;

  constructor(inputRate: number) {
    this.#inputRate = inputRate;
  }

  /** Sound up to input sample `index`, whose capture ended at `timestampMs`, has come. */
  add(arrivedAtMs: number, last: { readonly index: number; readonly timestampMs: number }): void {
    const expectedMs = this.#timestampOf(last.index) ?? last.timestampMs;
    if (last.timestampMs < expectedMs - REBASED_MS) this.#anchor = new ArrivalAnchor();
    this.#last = last;
    this.#anchor.add(arrivedAtMs, last.timestampMs);
  }

  /** When input sample `index` was captured, ms on the clock of the arrivals. Undefined before any sound. */
  of(index: number): number | undefined {
    const timestampMs = this.#timestampOf(index);
    return timestampMs === undefined ? undefined : this.#anchor.zeroAtMs + timestampMs;
  }

  #timestampOf(index: number): number | undefined {
    if (this.#last === undefined) return undefined;
    return this.#last.timestampMs + ((index - this.#last.index) * 1000) / this.#inputRate;
  }
}
