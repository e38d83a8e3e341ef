import { SAMPLE_RATE } from '../../src/model/grid.ts';

/**
 * Integrated loudness of stereo sound at 48 kHz (ITU-R BS.1770-4): K-weighting, blocks of 400 ms every 100 ms, gated at
 * −70 LUFS and 10 LU below what passes that. Blocks are kept as a histogram, so that a day costs no more than a minute.
 */

type Biquad = readonly [b0: number, b1: number, b2: number, a1: number, a2: number];

/** Pre-filter (tables 1 and 2 of the recommendation): a shelf for the head, then a high-pass. For 48 kHz. */
const SHELF: Biquad = [
  1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585,
];
const HIGH_PASS: Biquad = [1, -2, 1, -1.99004745483398, 0.99007225036621];
/** A block of 400 ms is four of these steps; blocks overlap by three. */
const STEP_SAMPLES = SAMPLE_RATE / 10;
const STEPS_PER_BLOCK = 4;
const STEP_MS = 100;
/** Loudness of mean power 1: −0.691 LKFS. */
const OFFSET_DB = -0.691;
const ABSOLUTE_GATE = -70;
const RELATIVE_GATE = -10;
/** Blocks are sorted into bins of 0.1 LU up to +10 LUFS; sums are exact, only the relative gate is as coarse as a bin. */
const BINS_PER_LU = 10;
const BINS = (10 - ABSOLUTE_GATE) * BINS_PER_LU;

export class LoudnessMeter {
  readonly #filters = [new KWeighting(), new KWeighting()] as const;
  readonly #counts = new Float64Array(BINS);
  readonly #powers = new Float64Array(BINS);
  readonly #steps: number[] = [];
  #stepPower = 0;
  #stepSamples = 0;

  /** Takes the next samples, as many of each channel; full scale is 1. */
  add(left: Float32Array, right: Float32Array): void {
    for (let from = 0; from < left.length;) {
      const to = Math.min(left.length, from + STEP_SAMPLES - this.#stepSamples);
      this.#stepPower += this.#filters[0].power(left, from, to);
      this.#stepPower += this.#filters[1].power(right, from, to);
      this.#stepSamples += to - from;
      from = to;
      if (this.#stepSamples === STEP_SAMPLES) this.#endStep();
    }
  }

  /** LUFS, and the sound that counted, ms; undefined while nothing passed the gate. */
  get integrated(): { readonly lufs: number; readonly ms: number } | undefined {
    const all = this.#above(0);
    if (all.count === 0) return undefined;
    const gate = toLufs(all.power / all.count) + RELATIVE_GATE;
    const gated = this.#above(Math.max(0, binOf(gate)));
    return { lufs: toLufs(gated.power / gated.count), ms: gated.count * STEP_MS };
  }

  #endStep(): void {
    this.#steps.push(this.#stepPower / STEP_SAMPLES);
    this.#stepPower = 0;
    this.#stepSamples = 0;
    if (this.#steps.length > STEPS_PER_BLOCK) this.#steps.shift();
    if (this.#steps.length < STEPS_PER_BLOCK) return;
    const power = this.#steps.reduce((sum, step) => sum + step, 0) / STEPS_PER_BLOCK;
    const bin = binOf(toLufs(power));
    if (bin < 0) return;
    this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
    this.#powers[bin] = (this.#powers[bin] ?? 0) + power;
  }

  #above(firstBin: number): { readonly count: number; readonly power: number } {
    let count = 0;
    let power = 0;
    for (let bin = firstBin; bin < BINS; bin += 1) {
      count += this.#counts[bin] as number;
      power += this.#powers[bin] as number;
    }
    return { count, power };
  }
}

/** The two filters of one channel, in direct form I; state runs on from call to call. */
class KWeighting {
  readonly #x = new Float64Array(2);
  readonly #y = new Float64Array(2);
  readonly #z = new Float64Array(2);

  /** Sum of the squares of the filtered samples. */
  power(samples: Float32Array, from: number, to: number): number {
    const [b0, b1, b2, a1, a2] = SHELF;
    const [c0, c1, c2, d1, d2] = HIGH_PASS;
    let [x1, x2] = this.#x as unknown as [number, number];
    let [y1, y2] = this.#y as unknown as [number, number];
    let [z1, z2] = this.#z as unknown as [number, number];
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const x = samples[i] as number;
      const y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2;
      const z = c0 * y + c1 * y1 + c2 * y2 - d1 * z1 - d2 * z2;
      sum += z * z;
      x2 = x1;
      x1 = x;
      y2 = y1;
      y1 = y;
      z2 = z1;
      z1 = z;
    }
    this.#x.set([x1, x2]);
    this.#y.set([settled(y1), settled(y2)]);
    this.#z.set([settled(z1), settled(z2)]);
    return sum;
  }
}

/** Filters ring down into numbers that are too small to compute with quickly. */
function settled(value: number): number {
  return Math.abs(value) < 1e-20 ? 0 : value;
}

function toLufs(power: number): number {
  return OFFSET_DB + 10 * Math.log10(power);
}

/** Negative below the absolute gate. */
function binOf(lufs: number): number {
  return Math.min(BINS - 1, Math.floor((lufs - ABSOLUTE_GATE) * BINS_PER_LU));
}
