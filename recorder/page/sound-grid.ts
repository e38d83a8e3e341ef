import { AAC_FRAME_SAMPLES, SAMPLE_RATE, SAMPLES_PER_MS } from '../../src/model/grid.ts';
import { ArrivalAnchor } from './arrival-anchor.ts';
import { CaptureTimes, LatenessMean } from './lateness.ts';
import { Resampler, RESAMPLER_LOOKAHEAD } from './resampler.ts';

/** Beyond this, time is put right by a jump (silence or a cut, with a short fade), below it by stretching. */
const JUMP_MS = 40;
/** Stretching corrects an error over this time … */
const CORRECT_OVER_MS = 3_000;
/** … by at most this share of speed: 500 ppm. */
const MAX_STRETCH = 500e-6;
/** While the pictures' phase and the earliest arrival are still being learnt it may be more: 5 cents, which nobody hears. */
const SETTLING_MS = 10_000;
const MAX_SETTLING_STRETCH = 3000e-6;
/** … and the error is corrected over this time. */
const SETTLE_OVER_MS = 500;
/** Length of the cross-fade at a jump, in samples of 48 kHz: 5 ms. */
const FADE_SAMPLES = 240;
/** Sound that is this late is taken for silence, so that a segment never waits for it. */
const LATE_MS = 400;
/** A gap in the capture's own timestamps shorter than this is jitter of their rounding. */
const GAP_MS = 5;

/** 1024 samples of each channel: frame `index` of 21.33 ms since the base. */
export type SoundBlock = {
  readonly index: number;
  readonly left: Float32Array;
  readonly right: Float32Array;
};

export type SoundCounts = {
  /** Input samples made up (silence) and thrown away. */
  inserted: number;
  dropped: number;
  /** Sum of |stretch|, in samples of 48 kHz. */
  stretched: number;
  jumps: number;
};

/**
 * Lays captured sound on the grid's 48 kHz samples. Times are ms on the fleet's clock. Input is what the tab capture
 * gives (44.1 kHz without a sound device); its clock is taken from the earliest arrivals, since jitter only delays.
 */
export class SoundGrid {
  readonly counts: SoundCounts = { inserted: 0, dropped: 0, stretched: 0, jumps: 0 };
  readonly #rate: number;
  /** Sound is laid this much later than it was captured, ms. */
  delayMs = 0;
  readonly #latencyMs: number;
  readonly #skewMs: number;
  readonly #resampler: Resampler;
  #left = new Float32Array(1 << 17);
  #right = new Float32Array(1 << 17);
  /** Input index of the buffers' first sample, and number of samples in them. */
  #first = 0;
  #length = 0;
  /** When input index 0 was captured. */
  readonly #anchor = new ArrivalAnchor();
  #lastTimestampMs: number | undefined;
  #baseMs = 0;
  #startMs = Infinity;
  #nextBlock = 0;
  #position: number | undefined;
  readonly #captureTimes: CaptureTimes;
  /** How much later than captured sound lies on the grid; its latency is taken off. */
  readonly lateness = new LatenessMean();

  /**
   * `latencyMs`: how much later than the picture of the same moment sound arrives, measured once. `skewMs`: lays all sound that
   * much too late, so that a test sees it noticed.
   */
  constructor(options: {
    readonly inputRate: number;
    readonly latencyMs: number;
    readonly skewMs?: number;
  }) {
    this.#rate = options.inputRate;
    this.#captureTimes = new CaptureTimes(options.inputRate);
    this.#latencyMs = options.latencyMs;
    this.#skewMs = options.skewMs ?? 0;
    this.#resampler = new Resampler(options.inputRate, SAMPLE_RATE);
  }

  /** Begins output at block `firstBlock` (negative for the encoder's run-up); silence before `startMs`. */
  start(options: {
    readonly baseMs: number;
    readonly startMs: number;
    readonly firstBlock: number;
  }): void {
    this.#baseMs = options.baseMs;
    this.#startMs = options.startMs;
    this.#nextBlock = options.firstBlock;
  }

  /** Takes captured sound: equal lengths, the time of its arrival, and the capture's own timestamp in ms. */
  offer(
    left: Float32Array,
    right: Float32Array,
    times: { readonly arrivedAtMs: number; readonly timestampMs: number },
  ): void {
    this.#fillGap(times.timestampMs);
    this.#lastTimestampMs = times.timestampMs + (left.length * 1000) / this.#rate;
    this.#append(left, right);
    this.#anchor.add(times.arrivedAtMs, ((this.#first + this.#length) * 1000) / this.#rate);
    this.#captureTimes.add(times.arrivedAtMs, {
      index: this.#first + this.#length,
      timestampMs: this.#lastTimestampMs,
    });
    if (this.#startMs === Infinity) this.#forgetBefore(this.#first + this.#length - this.#rate);
  }

  /** Blocks that can be made by now, in order. A block waits for its sound at most LATE_MS. */
  *pull(nowMs: number): Generator<SoundBlock> {
    if (this.#startMs === Infinity) return;
    for (;;) {
      const blockStartMs = this.#baseMs + (this.#nextBlock * AAC_FRAME_SAMPLES) / SAMPLES_PER_MS;
      const blockEndMs = blockStartMs + AAC_FRAME_SAMPLES / SAMPLES_PER_MS;
      if (blockEndMs > nowMs) return;
      const block =
        blockEndMs <= this.#startMs
          ? silentBlock(this.#nextBlock)
          : this.#read(blockStartMs, nowMs - blockEndMs > LATE_MS);
      if (block === undefined) return;
      this.#nextBlock += 1;
      yield block;
    }
  }

  #read(blockStartMs: number, isLate: boolean): SoundBlock | undefined {
    const anchorMs = this.#anchor.zeroAtMs - this.#latencyMs + this.delayMs + this.#skewMs;
    if (anchorMs === Infinity) return isLate ? this.#insertSilence() : undefined;
    const wanted = ((blockStartMs - anchorMs) * this.#rate) / 1000;
    const position = this.#position ?? wanted;
    const error = wanted - position;
    const nominal = this.#rate / SAMPLE_RATE;
    const isSettling = blockStartMs - this.#startMs < SETTLING_MS;
    const maxStretch = isSettling ? MAX_SETTLING_STRETCH : MAX_STRETCH;
    const needJump = Math.abs(error) > (JUMP_MS * this.#rate) / 1000;
    const overMs = isSettling ? SETTLE_OVER_MS : CORRECT_OVER_MS;
    const stretch = needJump ? 0 : clamp(error / ((overMs * this.#rate) / 1000), maxStretch);
    const step = nominal * (1 + stretch);
    const from = needJump ? wanted : position;
    const lastNeeded = Math.ceil(from + AAC_FRAME_SAMPLES * step) + RESAMPLER_LOOKAHEAD + 1;
    if (lastNeeded > this.#first + this.#length) {
      if (!isLate) return undefined;
      this.#appendSilence(lastNeeded - (this.#first + this.#length));
    }
    const block = this.#resample(from, step);
    if (needJump) this.#fadeFrom(block, position, error);
    this.counts.stretched += Math.abs(stretch) * AAC_FRAME_SAMPLES;
    this.#noteLateness(blockStartMs, from);
    this.#position = from + AAC_FRAME_SAMPLES * step;
    this.#forgetBefore(Math.floor(this.#position) - this.#rate / 4);
    if (this.#baseMs + (this.#nextBlock * AAC_FRAME_SAMPLES) / SAMPLES_PER_MS < this.#startMs) {
      this.#fadeIn(block);
    }
    return block;
  }

  #resample(from: number, step: number): SoundBlock {
    const left = new Float32Array(AAC_FRAME_SAMPLES);
    const right = new Float32Array(AAC_FRAME_SAMPLES);
    const lead = Math.floor(from) - RESAMPLER_LOOKAHEAD;
    const needed = Math.ceil(AAC_FRAME_SAMPLES * step) + 2 * RESAMPLER_LOOKAHEAD + 2;
    const options = { from: from - lead, step, count: AAC_FRAME_SAMPLES };
    this.#resampler.read(this.#window(this.#left, lead, needed), left, options);
    this.#resampler.read(this.#window(this.#right, lead, needed), right, options);
    return { index: this.#nextBlock, left, right };
  }

  /** `count` input samples from index `from`; silence where nothing is held. */
  #window(channel: Float32Array, from: number, count: number): Float32Array {
    const start = from - this.#first;
    if (start >= 0 && start + count <= this.#length) return channel.subarray(start, start + count);
    const window = new Float32Array(count);
    const low = Math.max(0, start);
    const high = Math.min(this.#length, start + count);
    if (high > low) window.set(channel.subarray(low, high), low - start);
    return window;
  }

  #fadeFrom(block: SoundBlock, oldPosition: number, error: number): void {
    const old = this.#resample(oldPosition, this.#rate / SAMPLE_RATE);
    for (let i = 0; i < FADE_SAMPLES; i += 1) {
      const share = (i + 0.5) / FADE_SAMPLES;
      mix(block.left, old.left, i, share);
      mix(block.right, old.right, i, share);
    }
    this.counts.jumps += 1;
    if (error > 0) this.counts.dropped += Math.round(error);
    else this.counts.inserted += Math.round(-error);
  }

  /** The block in which recording begins: silent up to the start, then a short fade. */
  #fadeIn(block: SoundBlock): void {
    const blockStartMs = this.#baseMs + (block.index * AAC_FRAME_SAMPLES) / SAMPLES_PER_MS;
    const silent = Math.round((this.#startMs - blockStartMs) * SAMPLES_PER_MS);
    for (let i = 0; i < AAC_FRAME_SAMPLES; i += 1) {
      const gain = i < silent ? 0 : Math.min(1, (i - silent) / FADE_SAMPLES);
      block.left[i] = (block.left[i] as number) * gain;
      block.right[i] = (block.right[i] as number) * gain;
    }
  }

  #fillGap(timestampMs: number): void {
    if (this.#lastTimestampMs === undefined) return;
    const gapMs = timestampMs - this.#lastTimestampMs;
    if (gapMs > GAP_MS && gapMs < 60_000) {
      this.#appendSilence(Math.round((gapMs * this.#rate) / 1000));
    }
  }

  #appendSilence(samples: number): void {
    const silence = new Float32Array(samples);
    this.#append(silence, silence);
    this.counts.inserted += samples;
  }

  #append(left: Float32Array, right: Float32Array): void {
    if (this.#length + left.length > this.#left.length) this.#grow(this.#length + left.length);
    this.#left.set(left, this.#length);
    this.#right.set(right, this.#length);
    this.#length += left.length;
  }

  #grow(needed: number): void {
    const size = 2 ** Math.ceil(Math.log2(needed));
    for (const key of ['left', 'right'] as const) {
      const bigger = new Float32Array(size);
      bigger.set(key === 'left' ? this.#left : this.#right);
      if (key === 'left') this.#left = bigger;
      else this.#right = bigger;
    }
  }

  #forgetBefore(index: number): void {
    const count = index - this.#first;
    // Moving the buffer's content costs a copy, so let a second gather first.
    if (count < this.#rate) return;
    this.#left.copyWithin(0, count, this.#length);
    this.#right.copyWithin(0, count, this.#length);
    this.#length -= count;
    this.#first = index;
  }

  #noteLateness(gridMs: number, index: number): void {
    const capturedAtMs = this.#captureTimes.of(index);
    if (capturedAtMs !== undefined) this.lateness.add(gridMs - (capturedAtMs - this.#latencyMs));
  }

  #insertSilence(): SoundBlock {
    this.counts.inserted += AAC_FRAME_SAMPLES;
    return silentBlock(this.#nextBlock);
  }
}

function silentBlock(index: number): SoundBlock {
  const silence = new Float32Array(AAC_FRAME_SAMPLES);
  return { index, left: silence, right: silence };
}

function mix(target: Float32Array, old: Float32Array, i: number, share: number): void {
  target[i] = (old[i] as number) * (1 - share) + (target[i] as number) * share;
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}
