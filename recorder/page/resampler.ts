/**
 * A windowed-sinc resampler (Kaiser window) whose read position the caller moves, so that clock drift is absorbed by
 * reading a little faster or slower. Filter delay is zero: output at input position x is the band-limited value at x.
 */

/** Taps on each side: 32 keeps the transition band of 44.1 → 48 kHz above 19 kHz at 90 dB. */
const HALF_TAPS = 32;
/** Table positions between two taps; values between are interpolated linearly (error below −100 dB). */
const PHASES = 512;
/** Kaiser β for about 90 dB of stop band. */
const BETA = 9;

export const RESAMPLER_LOOKAHEAD = HALF_TAPS;

/** Interpolation kernels: row p holds the taps for a fraction p / PHASES. */
function buildTable(cutoff: number): Float32Array {
  const width = 2 * HALF_TAPS;
  const table = new Float32Array((PHASES + 1) * width);
  for (let phase = 0; phase <= PHASES; phase += 1) {
    let sum = 0;
    for (let tap = 0; tap < width; tap += 1) {
      const x = tap - (HALF_TAPS - 1) - phase / PHASES;
      const value = cutoff * sinc(cutoff * x) * kaiser(x / HALF_TAPS);
      table[phase * width + tap] = value;
      sum += value;
    }
    for (let tap = 0; tap < width; tap += 1) {
      table[phase * width + tap] = (table[phase * width + tap] as number) / sum;
    }
  }
  return table;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : besselI0(BETA * Math.sqrt(1 - x * x)) / besselI0(BETA);
}

/** Modified Bessel function of the first kind, order zero, by its power series. */
function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; k < 40; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

export class Resampler {
  readonly #table: Float32Array;

  /** `inputRate` in Hz; output is read at any positions, nominally 48 kHz apart. */
  constructor(inputRate: number, outputRate: number) {
    this.#table = buildTable(Math.min(1, outputRate / inputRate) * 0.97);
  }

  /**
   * Reads `count` values from `input` at positions `from`, `from + step`, … (in input samples; position 0 is `input[0]`) into
   * `output`. Positions need HALF_TAPS samples on each side.
   */
  read(
    input: Float32Array,
    output: Float32Array,
    options: { readonly from: number; readonly step: number; readonly count: number },
  ): void {
    const width = 2 * HALF_TAPS;
    const table = this.#table;
    for (let i = 0; i < options.count; i += 1) {
      const position = options.from + i * options.step;
      const whole = Math.floor(position);
      const scaled = (position - whole) * PHASES;
      const phase = Math.floor(scaled);
      const blend = scaled - phase;
      const row = phase * width;
      const start = whole - (HALF_TAPS - 1);
      let low = 0;
      let high = 0;
      for (let tap = 0; tap < width; tap += 1) {
        const sample = input[start + tap] as number;
        low += sample * (table[row + tap] as number);
        high += sample * (table[row + width + tap] as number);
      }
      output[i] = low + blend * (high - low);
    }
  }
}
