import { describe, expect, it } from 'vitest';
import { Resampler, RESAMPLER_LOOKAHEAD } from '../../../recorder/page/resampler.ts';
import { SoundGrid, type SoundBlock } from '../../../recorder/page/sound-grid.ts';

const INPUT_RATE = 44_100;
const OUTPUT_RATE = 48_000;
const BLOCK = 1024;
const STEP = INPUT_RATE / OUTPUT_RATE;

describe('Resampler', () => {
  it.each([100, 1000, 10_000])('turns a sine of %i Hz at 44.1 kHz into one at 48 kHz', (hz) => {
    const sine = (rate: number, i: number): number => Math.sin((2 * Math.PI * hz * i) / rate);
    const input = Float32Array.from({ length: 8192 }, (_, i) => sine(INPUT_RATE, i));
    const output = new Float32Array(8000);
    const from = RESAMPLER_LOOKAHEAD;
    new Resampler(INPUT_RATE, OUTPUT_RATE).read(input, output, { from, step: STEP, count: 8000 });
    // The positions fit in the input: 32 + 8000 · 0.919 + 32 < 8192.
    const offset = from / STEP;
    const squares = output.reduce(
      (sum, value, i) => sum + (value - sine(OUTPUT_RATE, i + offset)) ** 2,
      0,
    );
    const errorDb = 10 * Math.log10(squares / output.length / 0.5);
    expect(errorDb).toBeLessThan(-60);
  });

  it('puts an impulse at its own sample, with no delay', () => {
    const input = new Float32Array(400);
    input[147] = 1;
    const output = new Float32Array(200);
    // 147 input samples last as long as 160 output samples.
    new Resampler(INPUT_RATE, OUTPUT_RATE).read(input, output, {
      from: 147 - 100 * STEP,
      step: STEP,
      count: 200,
    });
    expect(output.indexOf(Math.max(...output))).toBe(100);
    const mirrored = Array.from({ length: 90 }, (_, i) =>
      Math.abs((output[100 - i] ?? 1) - (output[100 + i] ?? -1)),
    );
    // Symmetric to within the table's interpolation.
    expect(Math.max(...mirrored)).toBeLessThan(1e-3);
  });
});

const BASE_MS = 1_750_000_000_000;
/** How long sound takes from capture to arrival. */
const LATENCY_MS = 20;
/** Input comes in pieces of 10 ms and is asked for as often. */
const PIECE = 441;
/** A pulse sounds at every half second of true time; σ is 0.5 ms, far below the filter's edge. */
const PULSE_EVERY_MS = 500;
const PULSE_SIGMA_MS = 0.5;

type Source = {
  /** The capture's clock against true time, parts per million. */
  readonly ppm?: number;
  /** True times, ms since the base, of the first and last captured sample. */
  readonly fromMs: number;
  readonly toMs: number;
  /** What arrives later than it should, ms, by true time of a piece's end. */
  readonly delayMs?: (endMs: number) => number;
  /** Pieces that are lost, by true time of their start. */
  readonly isLost?: (startMs: number) => boolean;
};

type Heard = { readonly grid: SoundGrid; readonly blocks: readonly SoundBlock[] };

function pulses(atMs: number): number {
  const distance = atMs - Math.round(atMs / PULSE_EVERY_MS) * PULSE_EVERY_MS;
  return Math.exp(-0.5 * (distance / PULSE_SIGMA_MS) ** 2);
}

type Piece = {
  readonly samples: Float32Array;
  readonly arrivedAtMs: number;
  readonly timestampMs: number;
};

/** What a capture hands over, in order; times of arrival never fall. */
function capture(source: Source): Piece[] {
  const { ppm = 0, fromMs, toMs, delayMs = () => 0, isLost = () => false } = source;
  const sampleMs = 1000 / (INPUT_RATE * (1 + ppm * 1e-6));
  const pieces: Piece[] = [];
  let lastArrivalMs = -Infinity;
  for (let k = 0; fromMs + (k + PIECE) * sampleMs <= toMs; k += PIECE) {
    const startMs = fromMs + k * sampleMs;
    if (isLost(startMs)) continue;
    const endMs = startMs + PIECE * sampleMs;
    lastArrivalMs = Math.max(lastArrivalMs, endMs + LATENCY_MS + delayMs(endMs));
    pieces.push({
      samples: Float32Array.from({ length: PIECE }, (_, i) => pulses(startMs + i * sampleMs)),
      arrivedAtMs: BASE_MS + lastArrivalMs,
      timestampMs: (k * 1000) / INPUT_RATE,
    });
  }
  return pieces;
}

/** Plays a capture into a grid in simulated time, recording from `startMs` to `untilMs` (since the base). */
function listen(
  source: Source,
  options: {
    readonly startMs?: number;
    readonly untilMs: number;
    readonly firstBlock?: number;
    readonly skewMs?: number;
    /** What the pictures' phase asks for at a time, ms. */
    readonly delayMs?: (nowMs: number) => number;
  },
): Heard {
  const { startMs = 0, untilMs, firstBlock = 0, skewMs = 0, delayMs = () => 0 } = options;
  const grid = new SoundGrid({ inputRate: INPUT_RATE, latencyMs: LATENCY_MS, skewMs });
  const pieces = capture(source);
  const blocks: SoundBlock[] = [];
  let next = 0;
  let isStarted = false;
  for (let nowMs = Math.min(source.fromMs, 0); nowMs <= untilMs; nowMs += 10) {
    if (nowMs >= 0 && !isStarted) {
      grid.start({ baseMs: BASE_MS, startMs: BASE_MS + startMs, firstBlock });
      isStarted = true;
    }
    for (let piece = pieces[next]; piece !== undefined; piece = pieces[next]) {
      if (piece.arrivedAtMs > BASE_MS + nowMs) break;
      grid.offer(piece.samples, piece.samples, piece);
      next += 1;
    }
    grid.delayMs = delayMs(nowMs);
    blocks.push(...grid.pull(BASE_MS + nowMs));
  }
  return { grid, blocks };
}

/** The loudness around a time: its centre, ms since the base, and its sum. */
function pulseNear(blocks: readonly SoundBlock[], atMs: number): { atMs: number; sum: number } {
  const first = blocks[0]?.index ?? 0;
  const centre = Math.round((atMs * OUTPUT_RATE) / 1000);
  let sum = 0;
  let moment = 0;
  // 20 ms on each side: more than any error asked for here, far less than the pulses' distance.
  for (let i = centre - 960; i <= centre + 960; i += 1) {
    const block = blocks[Math.floor(i / BLOCK) - first];
    const loudness = Math.abs(block?.left[((i % BLOCK) + BLOCK) % BLOCK] ?? 0);
    // Below −60 dB is the filter's ringing.
    if (loudness < 1e-3) continue;
    sum += loudness;
    moment += loudness * i;
  }
  return { atMs: (moment / sum) * (1000 / OUTPUT_RATE), sum };
}

/** Signed errors of the pulses in a span, ms; NaN for one that is not there. */
function errorsMs(blocks: readonly SoundBlock[], fromMs: number, toMs: number): number[] {
  const errors: number[] = [];
  const first = Math.ceil(fromMs / PULSE_EVERY_MS) * PULSE_EVERY_MS;
  for (let atMs = first; atMs <= toMs; atMs += PULSE_EVERY_MS) {
    errors.push(pulseNear(blocks, atMs).atMs - atMs);
  }
  return errors;
}

function worst(errors: readonly number[]): number {
  expect(errors.length).toBeGreaterThan(0);
  return Math.max(...errors.map(Math.abs));
}

/** Jitter of 0 to 15 ms that is the same in every run. */
function jitter(endMs: number): number {
  const wild = Math.sin(endMs * 12.9898) * 43_758.5453;
  return (wild - Math.floor(wild)) * 15;
}

const SECOND = 1000;

describe('SoundGrid', () => {
  it('makes blocks of rising index without a hole, all of 1024 samples, from the first one asked for', () => {
    const { blocks } = listen(
      { fromMs: -SECOND, toMs: 5 * SECOND, delayMs: jitter },
      { untilMs: 5 * SECOND, firstBlock: -5 },
    );
    expect(blocks.map(({ index }) => index)).toEqual(blocks.map((_, i) => i - 5));
    expect(blocks.every(({ left, right }) => left.length === BLOCK && right.length === BLOCK)).toBe(
      true,
    );
    // All but the last 0.1 s: latency, jitter and the filter's look-ahead.
    expect(blocks.length).toBeGreaterThan(5 + (4.9 * OUTPUT_RATE) / BLOCK);
  });

  it('is silent before its start and in place from then on', () => {
    const { blocks, grid } = listen(
      { fromMs: -SECOND, toMs: 5 * SECOND },
      { startMs: 1200, untilMs: 5 * SECOND },
    );
    const startSample = (1200 * OUTPUT_RATE) / SECOND;
    const before = blocks.flatMap(({ index, left, right }) =>
      [...left, ...right].filter((_, i) => index * BLOCK + (i % BLOCK) < startSample),
    );
    expect(before.length).toBeGreaterThanOrEqual(2 * startSample);
    expect(before.every((sample) => sample === 0)).toBe(true);
    expect(worst(errorsMs(blocks, 1300, 4800))).toBeLessThan(0.1);
    expect(grid.counts).toMatchObject({ inserted: 0, dropped: 0, jumps: 0 });
  });

  it.each([0, 730, 2222])('places sound that starts %i ms late within 1 ms', (fromMs) => {
    const { blocks } = listen({ fromMs, toMs: 6 * SECOND }, { untilMs: 6 * SECOND });
    expect(worst(errorsMs(blocks, fromMs + 50, 5.8 * SECOND))).toBeLessThan(1);
    expect(blocks.map(({ index }) => index)).toEqual(blocks.map((_, i) => i));
  });

  it('is not led astray by jitter of the arrivals', () => {
    const { blocks, grid } = listen(
      { fromMs: -6 * SECOND, toMs: 10 * SECOND, delayMs: jitter },
      { untilMs: 10 * SECOND },
    );
    // The earliest of hundreds of arrivals is early to within 1 ms.
    expect(worst(errorsMs(blocks, 0, 9.8 * SECOND))).toBeLessThan(1);
    expect(grid.counts).toMatchObject({ inserted: 0, dropped: 0, jumps: 0 });
  });

  it.each([50, -50, 300, -300])(
    'follows a clock that is %i ppm off without a jump',
    (ppm) => {
      const { blocks, grid } = listen(
        { ppm, fromMs: -SECOND, toMs: 60 * SECOND },
        { untilMs: 60 * SECOND },
      );
      const errors = errorsMs(blocks, 500, 59.8 * SECOND);
      expect(worst(errors)).toBeLessThan(2);
      expect(grid.counts).toMatchObject({ inserted: 0, dropped: 0, jumps: 0 });
      const steps = errors.slice(1).map((error, i) => error - (errors[i] ?? NaN));
      // Stretching is at most 500 ppm: 0.25 ms in half a second, and as much again for drift and rounding.
      expect(worst(steps)).toBeLessThan(0.5);
    },
    30_000,
  );

  it('fills a stall of 200 ms, in which sound was lost, with silence, and counts it', () => {
    const isLost = (startMs: number): boolean => startMs >= 1900 && startMs < 2100;
    const { blocks, grid } = listen(
      { fromMs: -SECOND, toMs: 6 * SECOND, isLost },
      { untilMs: 6 * SECOND },
    );
    // To a piece's length of 10 ms.
    expect(Math.abs((grid.counts.inserted * SECOND) / INPUT_RATE - 200)).toBeLessThanOrEqual(10);
    expect(grid.counts).toMatchObject({ dropped: 0, jumps: 0 });
    // The pulse at 2 s fell into the stall.
    expect(pulseNear(blocks, 2000).sum).toBe(0);
    expect(worst(errorsMs(blocks, 2400, 5.8 * SECOND))).toBeLessThan(1);
    expect(worst(errorsMs(blocks, 0, 1800))).toBeLessThan(1);
  });

  it.each([0, 100, -30])('knows that it lays sound %i ms late', (skewMs) => {
    const source = { fromMs: -SECOND, toMs: 6 * SECOND };
    const { blocks, grid } = listen(source, { untilMs: 6 * SECOND, skewMs });
    expect(Math.abs(pulseNear(blocks, 3000 + skewMs).atMs - 3000 - skewMs)).toBeLessThan(1);
    expect(Math.abs((grid.lateness.value?.meanMs ?? NaN) - skewMs)).toBeLessThan(1);
  });

  it('lies as late as the pictures do, and follows them without a jump', () => {
    const { blocks, grid } = listen(
      { fromMs: -SECOND, toMs: 20 * SECOND },
      { untilMs: 20 * SECOND, delayMs: (nowMs) => (nowMs < 3000 ? 12 : 10) },
    );
    expect(worst(errorsMs(blocks, 0, 2.5 * SECOND).map((error) => error - 12))).toBeLessThan(0.1);
    // An error is worked off in 3 s by two thirds: of 2 ms nothing is left in 15 s.
    expect(worst(errorsMs(blocks, 18 * SECOND, 19.5 * SECOND).map((e) => e - 10))).toBeLessThan(
      0.1,
    );
    expect(grid.counts).toMatchObject({ inserted: 0, dropped: 0, jumps: 0 });
  });

  it('stays where it is while a starving machine brings sound late for five seconds', () => {
    const delayMs = (endMs: number): number => (endMs >= 3000 && endMs < 8000 ? 150 : 0);
    const { blocks, grid } = listen(
      { fromMs: -SECOND, toMs: 12 * SECOND, delayMs },
      { untilMs: 12 * SECOND },
    );
    expect(grid.counts).toMatchObject({ inserted: 0, dropped: 0, jumps: 0 });
    // The anchor rises by 500 ppm of the time at most.
    expect(worst(errorsMs(blocks, 0, 11.5 * SECOND))).toBeLessThan(3);
  });

  it('waits for sound that comes 200 ms late', () => {
    const delayMs = (endMs: number): number => (endMs >= 2000 && endMs < 2300 ? 200 : 0);
    const { blocks, grid } = listen(
      { fromMs: -SECOND, toMs: 6 * SECOND, delayMs },
      { untilMs: 6 * SECOND },
    );
    expect(grid.counts).toMatchObject({ inserted: 0, dropped: 0, jumps: 0 });
    expect(worst(errorsMs(blocks, 0, 5.8 * SECOND))).toBeLessThan(1);
  });

  it.each(['lost', 'late'])('finds its place again after a second of sound was %s', (what) => {
    const isIn = (atMs: number): boolean => atMs >= 2000 && atMs < 3000;
    const { blocks, grid } = listen(
      {
        fromMs: -SECOND,
        toMs: 8 * SECOND,
        ...(what === 'lost'
          ? { isLost: isIn }
          : { delayMs: (endMs: number) => (isIn(endMs) ? 3000 - endMs : 0) }),
      },
      { untilMs: 8 * SECOND },
    );
    expect(blocks.map(({ index }) => index)).toEqual(blocks.map((_, i) => i));
    expect(grid.counts.inserted).toBeGreaterThan(0);
    expect(worst(errorsMs(blocks, 3400, 7.8 * SECOND))).toBeLessThan(1);
  });
});
