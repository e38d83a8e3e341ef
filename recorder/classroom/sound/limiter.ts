/** Highest sample that leaves the limiter, of full scale: −1 dB, which leaves AAC room for what it overshoots. */
export const CEILING = 10 ** (-1 / 20);
/** How far ahead it looks, ms: sound leaves it this much later, and a gain takes this long to come down. */
export const LOOK_AHEAD_MS = 3;
/** Time after which two thirds of a reduction are taken back. Shorter distorts low voices, longer is heard as pumping. */
const RELEASE_MS = 80;

/**
 * A brick-wall limiter: no sample leaves it above the ceiling, and below it nothing is changed but a delay. The gain of a
 * loud sample is held over the look-ahead and averaged over it, so that it falls in a ramp that ends in time.
 */
export class Limiter {
  readonly #length: number;
  readonly #release: number;
  readonly #delayed: Float32Array[];
  /** Gains wanted by the samples that are still inside. */
  readonly #wanted: Float32Array;
  /** Least of them over the look-ahead, and the sum of those for their mean. */
  readonly #held: Float32Array;
  #sum: number;
  #at = 0;
  #gain = 1;
  /** Samples until all that is inside wants nothing. */
  #busy = 0;

  constructor(sampleRate: number, channels: number) {
    this.#length = Math.max(1, Math.round((LOOK_AHEAD_MS * sampleRate) / 1000));
    this.#release = 1 - Math.exp(-1000 / (RELEASE_MS * sampleRate));
    this.#delayed = Array.from({ length: channels }, () => new Float32Array(this.#length));
    this.#wanted = new Float32Array(this.#length).fill(1);
    this.#held = new Float32Array(this.#length).fill(1);
    this.#sum = this.#length;
  }

  /** Limits a block; `input` and `output` have a channel each, all of one length. */
  process(input: readonly Float32Array[], output: readonly Float32Array[]): void {
    const samples = output[0]?.length ?? 0;
    for (let i = 0; i < samples; i++) {
      const gain = this.#gainFor(this.#peak(input, i));
      for (let c = 0; c < output.length; c++) {
        const line = this.#delayed[c];
        const to = output[c];
        if (line === undefined || to === undefined) continue;
        to[i] = (line[this.#at] ?? 0) * gain;
        line[this.#at] = input[c]?.[i] ?? 0;
      }
      this.#at = (this.#at + 1) % this.#length;
    }
  }

  #peak(input: readonly Float32Array[], i: number): number {
    let peak = 0;
    for (const channel of input) peak = Math.max(peak, Math.abs(channel[i] ?? 0));
    return peak;
  }

  /** Takes in what the newest sample wants; the gain for the one that leaves now. */
  #gainFor(peak: number): number {
    const wish = peak > CEILING ? CEILING / peak : 1;
    // back towards 1 slowly, down at once: the mean makes a ramp of it
    this.#gain = Math.min(wish, this.#gain + (1 - this.#gain) * this.#release);
    if (this.#gain > 1 - 1e-6) this.#gain = 1;
    if (this.#gain < 1) this.#busy = 2 * this.#length;
    else if (this.#busy === 0) return 1;
    else if (--this.#busy === 0) return this.#rest();
    const mean = Math.min(1, this.#sum / this.#length);
    this.#wanted[this.#at] = this.#gain;
    let least = 1;
    for (const wanted of this.#wanted) if (wanted < least) least = wanted;
    this.#sum += least - (this.#held[this.#at] ?? 1);
    this.#held[this.#at] = least;
    return mean;
  }

  /** Forgets what rounding has left in the sum. */
  #rest(): number {
    this.#wanted.fill(1);
    this.#held.fill(1);
    this.#sum = this.#length;
    return 1;
  }
}
