/** Begin to slew beyond this error, go on until it is below the second, both in slots. */
const SLEW_ABOVE = 0.15;
const SLEW_BELOW = 0.05;
const SLEW_PER_FRAME = 0.004;
/** The source itself may begin only with the recording: this many frames it is still learnt, and followed faster. */
const SETTLING_FRAMES = 60;
const SETTLING_SLEW_PER_FRAME = 0.02;
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
  /** Frames since it was settled; undefined before. */
  #frames: number | undefined;
  #cos = 0;
  #sin = 0;

  /** Added to a frame's position before it is rounded to a slot; at most half a slot. */
  get value(): number {
    return this.#value;
  }

  /** Takes the best offset at once; from here on it moves by slewing. */
  settle(): void {
    this.#frames = 0;
    this.#value = this.#best() ?? 0;
  }

  /** A frame was captured at this position. */
  see(position: number): void {
    const angle = 2 * Math.PI * (position - Math.floor(position));
    const isSettled = (this.#frames ?? 0) >= SETTLING_FRAMES;
    const weight = isSettled ? MEAN_WEIGHT : LEARNING_WEIGHT;
    this.#cos += weight * (Math.cos(angle) - this.#cos);
    this.#sin += weight * (Math.sin(angle) - this.#sin);
    if (this.#frames === undefined) return;
    this.#frames += 1;
    this.#slew(isSettled ? SLEW_PER_FRAME : SETTLING_SLEW_PER_FRAME);
  }

  #slew(perFrame: number): void {
    const best = this.#best();
    // At ±MAX_PHASE both ends are as good: stay at the one at hand.
    const error = best === undefined ? 0 : wrapped(best - this.#value);
    if (Math.abs(error) > SLEW_ABOVE) this.#isSlewing = true;
    else if (Math.abs(error) < SLEW_BELOW) this.#isSlewing = false;
    if (!this.#isSlewing) return;
    const moved = this.#value + Math.sign(error) * perFrame;
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
