/** Begin to slew beyond this error, go on until it is below the second, both in slots. */
const SLEW_ABOVE = 0.15;
const SLEW_BELOW = 0.05;
const SLEW_PER_FRAME = 0.004;
/** No frame is moved by more, in slots. */
const MAX_PHASE = 0.5;
/** Weight of a new frame in the mean position: while the source is learnt, and when it is known. */
const LEARNING_WEIGHT = 0.1;
const MEAN_WEIGHT = 0.03;
/** Mean vectors shorter than this belong to sources without a steady rhythm. */
const STEADY = 0.35;

/**
 * Finds the offset that lays a steady source's frames in the middle of their slots, so that jitter does not make two collide.
 * Positions and offset are in slots.
 */
export class PhaseControl {
  #value = 0;
  #isSlewing = false;
  #weight = LEARNING_WEIGHT;
  #cos = 0;
  #sin = 0;

  /** Added to a frame's position before it is rounded to a slot; at most half a slot. */
  get value(): number {
    return this.#value;
  }

  /** Takes the best offset at once; from here on it moves slowly. */
  settle(): void {
    this.#weight = MEAN_WEIGHT;
    this.#value = this.#best() ?? 0;
  }

  /** A frame was captured at this position. */
  see(position: number): void {
    const angle = 2 * Math.PI * (position - Math.floor(position));
    this.#cos += this.#weight * (Math.cos(angle) - this.#cos);
    this.#sin += this.#weight * (Math.sin(angle) - this.#sin);
    if (this.#weight === MEAN_WEIGHT) this.#slew();
  }

  #slew(): void {
    const best = this.#best();
    // At ±MAX_PHASE both ends are as good: stay at the one at hand.
    const error = best === undefined ? 0 : wrapped(best - this.#value);
    if (Math.abs(error) > SLEW_ABOVE) this.#isSlewing = true;
    else if (Math.abs(error) < SLEW_BELOW) this.#isSlewing = false;
    if (!this.#isSlewing) return;
    const moved = this.#value + Math.sign(error) * SLEW_PER_FRAME;
    this.#value = Math.max(-MAX_PHASE, Math.min(MAX_PHASE, moved));
  }

  /** Undefined where the source has no steady rhythm. */
  #best(): number | undefined {
    if (Math.hypot(this.#cos, this.#sin) < STEADY) return undefined;
    return -Math.atan2(this.#sin, this.#cos) / (2 * Math.PI);
  }
}

/** The same place in a slot, from −0.5 to 0.5. */
function wrapped(slots: number): number {
  return slots - Math.round(slots);
}
