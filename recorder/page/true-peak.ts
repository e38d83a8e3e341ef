/** Interpolation filter of ITU-R BS.1770-4 annex 2: four phases of twelve taps; the last two mirror the first two. */
const HALF_PHASES = [
  [
    0.001708984375, 0.010986328125, -0.0196533203125, 0.033203125, -0.0594482421875,
    0.1373291015625, 0.97216796875, -0.102294921875, 0.047607421875, -0.026611328125,
    0.014892578125, -0.00830078125,
  ],
  [
    -0.0291748046875, 0.029296875, -0.0517578125, 0.089111328125, -0.16650390625, 0.465087890625,
    0.77978515625, -0.2003173828125, 0.1015625, -0.0582275390625, 0.0330810546875, -0.0189208984375,
  ],
] as const;
const PHASES = [...HALF_PHASES, ...HALF_PHASES.map((taps) => taps.toReversed())].map((taps) =>
  Float64Array.from(taps),
);
const TAPS = 12;
/** Samples looked at together. */
const PIECE = 16;
/** No phase can give more than this times the greatest sample: the sum of its taps' magnitudes. */
const MAX_GAIN = Math.max(...PHASES.map((taps) => taps.reduce((sum, t) => sum + Math.abs(t), 0)));

/** True peak of one channel, four times oversampled. Only pieces that could raise it are interpolated: most cost nothing. */
export class TruePeakMeter {
  /** Highest magnitude so far; full scale is 1. */
  peak = 0;
  /** The last taps of what came before, then room for a piece. */
  #window = new Float32Array(TAPS - 1);

  add(samples: Float32Array): void {
    const kept = TAPS - 1;
    const length = kept + samples.length;
    if (this.#window.length !== length) {
      const grown = new Float32Array(length);
      grown.set(this.#window.subarray(-kept));
      this.#window = grown;
    } else this.#window.copyWithin(0, samples.length);
    this.#window.set(samples, kept);
    for (let from = 0; from < samples.length; from += PIECE) {
      this.#addPiece(from, Math.min(samples.length, from + PIECE));
    }
  }

  /** Outputs from `from` to `to` are made of the window's samples from `from` to `to` + taps − 1. */
  #addPiece(from: number, to: number): void {
    const window = this.#window;
    let greatest = 0;
    let i = from;
    while (i < to + TAPS - 1) {
      greatest = Math.max(greatest, Math.abs(window[i] as number));
      i += 1;
    }
    this.peak = Math.max(this.peak, greatest);
    if (greatest * MAX_GAIN > this.peak) this.#interpolate(from, to);
  }

  #interpolate(from: number, to: number): void {
    const window = this.#window;
    let peak = this.peak;
    for (const taps of PHASES) {
      for (let i = from; i < to; i += 1) {
        let sum = 0;
        for (let tap = 0; tap < TAPS; tap += 1) {
          sum += (taps[tap] as number) * (window[i + TAPS - 1 - tap] as number);
        }
        peak = Math.max(peak, Math.abs(sum));
      }
    }
    this.peak = peak;
  }
}
