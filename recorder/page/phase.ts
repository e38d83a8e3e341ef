/** Places in a slot that are told apart. */
const BINS = 24;
/** What a place has been given is halved after 23 frames, and while the source is learnt after 7. */
const DECAY = 0.97;
const LEARNING_DECAY = 0.9;
/** A place with less than this share of the frames counts as empty … */
const EMPTY_SHARE = 0.02;
/** … and this many empty ones in a row, 3/16 of a slot, belong to a source with a rhythm. */
const MIN_GAP_BINS = 4.5;
/** Begin to slew beyond this error, go on until it is below the second, both in slots. */
const SLEW_ABOVE = 0.1;
const SLEW_BELOW = 0.03;
const SLEW_PER_FRAME = 0.004;
/** The source itself may begin only with the recording: this many frames it is still learnt, and followed faster. */
const SETTLING_FRAMES = 60;
const SETTLING_SLEW_PER_FRAME = 0.02;
/** No frame is moved by more, in slots. */
const MAX_PHASE = 0.5;

/**
 * Finds the offset that lays the edge between two slots where a source has no frames, in the middle of the widest gap of its
 * rhythm, so that jitter does not make two frames collide: 30 fps on a display of 60 Hz come at two places half a slot apart.
 * Positions and offset are in slots.
 */
export class PhaseControl {
  readonly #bins = new Float64Array(BINS);
  #value = 0;
  #isSlewing = false;
  /** Frames since it was settled; undefined before. */
  #frames: number | undefined;

  /** Added to a frame's position before it is rounded to a slot; at most half a slot. */
  get value(): number {
    return this.#value;
  }

  /** Whether the source is still being learnt, or followed. */
  get isMoving(): boolean {
    return this.#isSlewing || (this.#frames ?? 0) < SETTLING_FRAMES;
  }

  /** Takes the best offset at once; from here on it moves by slewing. */
  settle(): void {
    this.#frames = 0;
    this.#value = this.#best() ?? 0;
  }

  /** A frame was captured at this position. */
  see(position: number): void {
    const isSettled = (this.#frames ?? 0) >= SETTLING_FRAMES;
    const decay = isSettled ? DECAY : LEARNING_DECAY;
    for (let i = 0; i < BINS; i += 1) this.#bins[i] = (this.#bins[i] as number) * decay;
    const bin = Math.floor((position - Math.floor(position)) * BINS) % BINS;
    this.#bins[bin] = (this.#bins[bin] as number) + 1 - decay;
    if (this.#frames === undefined) return;
    this.#frames += 1;
    this.#slew(isSettled ? SLEW_PER_FRAME : SETTLING_SLEW_PER_FRAME);
  }

  #slew(perFrame: number): void {
    const best = this.#best();
    const error = best === undefined ? 0 : best - this.#value;
    if (Math.abs(error) > SLEW_ABOVE) this.#isSlewing = true;
    else if (Math.abs(error) < SLEW_BELOW) this.#isSlewing = false;
    if (!this.#isSlewing) return;
    const moved = this.#value + Math.sign(error) * Math.min(perFrame, Math.abs(error));
    this.#value = Math.max(-MAX_PHASE, Math.min(MAX_PHASE, moved));
  }

  /** Undefined where the source has no rhythm. Of gaps that are as wide, the one nearest to the present offset. */
  #best(): number | undefined {
    const total = this.#bins.reduce((sum, share) => sum + share, 0);
    if (total === 0) return undefined;
    const isEmpty = [...this.#bins].map((share) => share < EMPTY_SHARE * total);
    let best: { readonly length: number; readonly phase: number } | undefined;
    for (const { from, length } of circularRuns(isEmpty)) {
      if (length < MIN_GAP_BINS) continue;
      const phase = wrapped(0.5 - (from + length / 2) / BINS);
      const isNearer =
        best !== undefined && Math.abs(phase - this.#value) < Math.abs(best.phase - this.#value);
      if (best === undefined || length > best.length + 1 || (length >= best.length - 1 && isNearer))
        best = { length, phase };
    }
    return best?.phase;
  }
}

/** Runs of true in a ring, by their first index. */
function circularRuns(ring: readonly boolean[]): { from: number; length: number }[] {
  const size = ring.length;
  const runs: { from: number; length: number }[] = [];
  for (let from = 0; from < size; from += 1) {
    if (ring[from] !== true || ring[(from + size - 1) % size] === true) continue;
    let length = 1;
    while (ring[(from + length) % size] === true) length += 1;
    runs.push({ from, length });
  }
  return runs;
}

/** The same place in a slot, from −0.5 to 0.5. */
function wrapped(slots: number): number {
  return slots - Math.round(slots);
}
