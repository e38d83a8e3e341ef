/** No clock of a sound device runs off by more: 500 ppm. */
const MAX_DRIFT = 500e-6;
/** Without an arrival near the anchor for this long, ms … */
const WINDOW_MS = 10_000;
/** … and none nearer than this, samples were lost without a word, and the anchor is sought anew. */
const LOST_MS = 40;

/**
 * When a running count was zero, from when its values arrived: the earliest, since whatever comes between only makes them
 * later. It rises no faster than clocks drift, so that a machine that starves for seconds does not move it.
 */
export class ArrivalAnchor {
  #zeroAtMs = Infinity;
  #updatedAtMs = 0;
  #windowSinceMs = -Infinity;
  #windowMin = Infinity;

  /** A value of `countMs` (the count in ms) has come. */
  add(arrivedAtMs: number, countMs: number): void {
    const zeroAtMs = arrivedAtMs - countMs;
    const risen = this.#zeroAtMs + MAX_DRIFT * (arrivedAtMs - this.#updatedAtMs);
    this.#zeroAtMs = Math.min(risen, zeroAtMs);
    this.#updatedAtMs = arrivedAtMs;
    this.#windowMin = Math.min(this.#windowMin, zeroAtMs);
    if (arrivedAtMs - this.#windowSinceMs < WINDOW_MS) return;
    const isLost = this.#windowSinceMs > -Infinity && this.#windowMin - this.#zeroAtMs > LOST_MS;
    if (isLost) this.#zeroAtMs = this.#windowMin;
    this.#windowSinceMs = arrivedAtMs;
    this.#windowMin = Infinity;
  }

  /** Infinity before anything has come. */
  get zeroAtMs(): number {
    return this.#zeroAtMs;
  }
}
