import { describe, expect, it } from 'vitest';
import { ArrivalAnchor } from '../../../recorder/page/arrival-anchor.ts';
import { CaptureTimes, LatenessMean } from '../../../recorder/page/lateness.ts';
import { LoudnessMeter } from '../../../recorder/page/loudness.ts';
import { PictureProbe, type Picture } from '../../../recorder/page/picture-probe.ts';
import { SoundProbe } from '../../../recorder/page/sound-probe.ts';
import { TruePeakMeter } from '../../../recorder/page/true-peak.ts';

const RATE = 48_000;
const BLOCK = 1024;
const BLOCK_MS = (BLOCK * 1000) / RATE;

function sine(hz: number, seconds: number, { amplitude = 1, phase = 0 } = {}): Float32Array {
  return Float32Array.from(
    { length: seconds * RATE },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / RATE + phase),
  );
}

describe('LoudnessMeter', () => {
  function lufs(left: Float32Array, right: Float32Array): number | undefined {
    const meter = new LoudnessMeter();
    for (let i = 0; i < left.length; i += BLOCK) {
      meter.add(left.subarray(i, i + BLOCK), right.subarray(i, i + BLOCK));
    }
    return meter.integrated?.lufs;
  }

  it('reads −3.01 for a full-scale sine of 997 Hz on one channel, 3 dB more on two (BS.1770-4)', () => {
    const tone = sine(997, 5);
    expect(lufs(tone, new Float32Array(tone.length))).toBeCloseTo(-3.01, 1);
    expect(lufs(tone, tone)).toBeCloseTo(0, 1);
  });

  it('leaves out what is 10 LU quieter than the rest, and what is below −70', () => {
    const tone = new Float32Array(30 * RATE);
    tone.set(sine(997, 10, { amplitude: 0.1 }));
    tone.set(sine(997, 10, { amplitude: 0.01 }), 20 * RATE);
    // Blocks across an edge count a little: 0.3 LU at most.
    expect(Math.abs((lufs(tone, tone) ?? 0) + 20)).toBeLessThan(0.3);
  });

  it('knows nothing of silence', () => {
    expect(lufs(new Float32Array(RATE), new Float32Array(RATE))).toBeUndefined();
  });
});

describe('TruePeakMeter', () => {
  it('finds the peak between samples', () => {
    const meter = new TruePeakMeter();
    // A quarter of the rate, 45° off: samples at 0.707, peaks at 1.
    const tone = sine(RATE / 4, 1, { phase: Math.PI / 4 });
    for (let i = 0; i < tone.length; i += BLOCK) meter.add(tone.subarray(i, i + BLOCK));
    expect(Math.max(...tone.subarray(0, BLOCK))).toBeCloseTo(0.707, 3);
    // Annex 2 allows 0.688 dB at four times oversampling.
    expect(Math.abs(20 * Math.log10(meter.peak))).toBeLessThan(0.5);
  });

  it('is never below the greatest sample', () => {
    const meter = new TruePeakMeter();
    const click = new Float32Array(BLOCK);
    click[BLOCK - 1] = -0.8;
    meter.add(click);
    expect(meter.peak).toBeGreaterThanOrEqual(Math.fround(0.8));
  });
});

describe('SoundProbe', () => {
  it('finds silence of more than 2 s to the block, and goes on where it lasts to the end', () => {
    const told: number[][] = [];
    const probe = new SoundProbe({
      onBegun: () => undefined,
      onEnded: (startMs, endMs) => told.push([startMs, endMs].map(Math.round)),
    });
    const loud = (index: number): boolean => index < 100 || (index >= 300 && index < 350);
    for (let index = 0; index < 600; index += 1) {
      const level = loud(index) ? 0.01 : 0.0009;
      const samples = new Float32Array(BLOCK).fill(level);
      probe.listen({ index, left: samples, right: samples }, index * BLOCK_MS);
    }
    probe.end(600 * BLOCK_MS);
    expect(told).toEqual([
      [2133, 6400],
      [7467, 12_800],
    ]);
  });
});

describe('PictureProbe', () => {
  const WIDTH = 64;
  const HEIGHT = 48;
  const SLOT_MS = 1000 / 30;
  /** A picture is looked at every 250 ms. */
  const LOOK_MS = 250 + SLOT_MS;

  /** An I420 picture: `luma` all over, one pixel of `dot`. */
  function picture(luma: number, dot = luma): Picture {
    const bytes = new Uint8Array(WIDTH * HEIGHT * 1.5).fill(128);
    bytes.fill(luma, 0, WIDTH * HEIGHT);
    bytes[777] = dot;
    return {
      visibleRect: { width: WIDTH, height: HEIGHT },
      allocationSize: () => bytes.length,
      copyTo: (target) => {
        target.set(bytes);
        return Promise.resolve();
      },
      close: () => undefined,
    };
  }

  /** Shows pictures for 20 s: what is drawn in a slot, or undefined where nothing is. */
  async function show(
    draw: (ms: number) => Picture | undefined,
  ): Promise<Record<string, number[]>> {
    const told: Record<string, number[]> = {};
    const events = (kind: string) => ({
      onBegun: () => undefined,
      onEnded: (startMs: number, endMs: number) => {
        told[kind] = [...(told[kind] ?? []), startMs, endMs];
      },
    });
    const probe = new PictureProbe({ black: events('black'), still: events('still') });
    let held = picture(200);
    for (let slot = 0; slot < 600; slot += 1) {
      const drawn = draw(slot * SLOT_MS);
      held = drawn ?? held;
      const shown = held;
      probe.see(slot * SLOT_MS, drawn !== undefined, () => shown);
      // Reading is asynchronous.
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
    probe.end(20_000);
    return told;
  }

  const moving = (ms: number): number => 100 + (Math.round(ms / SLOT_MS) % 100);

  it('finds nothing in a picture that moves', async () => {
    expect(await show((ms) => picture(100, moving(ms)))).toEqual({});
  });

  it('finds a picture in which nothing is drawn, to the slot', async () => {
    const told = await show((ms) =>
      ms > 5000 && ms < 9000 ? undefined : picture(100, moving(ms)),
    );
    expect(Object.keys(told)).toEqual(['still']);
    expect(Math.abs(told.still![0]! - 5000)).toBeLessThan(2 * SLOT_MS);
    expect(Math.abs(told.still![1]! - 9000)).toBeLessThan(2 * SLOT_MS);
  });

  it('calls a picture still that is drawn again and again, the same', async () => {
    const told = await show((ms) => picture(100, ms > 5000 ? 7 : moving(ms)));
    expect(Object.keys(told)).toEqual(['still']);
    expect(Math.abs(told.still![0]! - 5000)).toBeLessThan(LOOK_MS);
    expect(told.still![1]).toBe(20_000);
  });

  it('finds black also where something dark moves in it', async () => {
    const told = await show((ms) => picture(ms > 5000 && ms < 9000 ? 20 : 100, moving(ms)));
    expect(Object.keys(told)).toEqual(['black']);
    expect(Math.abs(told.black![0]! - 5000)).toBeLessThan(LOOK_MS);
    expect(Math.abs(told.black![1]! - 9000)).toBeLessThan(LOOK_MS);
  });
});

describe('ArrivalAnchor', () => {
  /** Counts come every 10 ms and take 20 ms; `delayMs` says how much longer. */
  function anchor(untilMs: number, delayMs: (ms: number) => number, ppm = 0): number {
    const anchor = new ArrivalAnchor();
    for (let ms = 10; ms <= untilMs; ms += 10) {
      anchor.add(5000 + ms + 20 + delayMs(ms), ms * (1 + ppm * 1e-6));
    }
    return anchor.zeroAtMs - 5020;
  }

  it('takes the earliest arrival', () => {
    expect(anchor(60_000, (ms) => (ms % 500 === 0 ? 0 : 30))).toBeLessThan(0.3);
  });

  it('is not moved by a machine that starves for five seconds', () => {
    // Rises by 500 ppm of the 5.3 s between two that are not late.
    expect(anchor(20_000, (ms) => (ms > 15_000 ? 300 : 0))).toBeLessThan(2.7);
  });

  it.each([300, -300])('follows a clock that is %i ppm off', (ppm) => {
    const drifted = -60_000 * ppm * 1e-6;
    expect(Math.abs(anchor(60_000, (ms) => ((ms / 10) % 7) * 3, ppm) - drifted)).toBeLessThan(0.5);
  });

  it('gives in after a while when counts were lost', () => {
    expect(anchor(40_000, (ms) => (ms > 10_000 ? 100 : 0))).toBeGreaterThan(99);
  });
});

describe('lateness', () => {
  it('says when a sample was captured, from timestamps on a clock of their own', () => {
    const times = new CaptureTimes(44_100);
    for (let ms = 10; ms <= 2000; ms += 10) {
      const jitterMs = ms % 200 === 0 ? 0 : 40;
      times.add(80_000 + ms + jitterMs, { index: ms * 44.1, timestampMs: 500 + ms });
    }
    expect(times.of(0)).toBeCloseTo(80_000, 0);
    expect(times.of(44_100)).toBeCloseTo(81_000, 0);
  });

  it('follows timestamps that begin anew on another clock', () => {
    const times = new CaptureTimes(44_100);
    times.add(80_010, { index: 441, timestampMs: 700 });
    times.add(80_020, { index: 882, timestampMs: 702 });
    expect(times.of(0)).toBeCloseTo(80_000, 0);
  });

  it('means all, and the last moments', () => {
    const mean = new LatenessMean();
    expect(mean.value).toBeNull();
    for (let i = 0; i < 1000; i += 1) mean.add(i < 500 ? 0 : 20);
    expect(mean.value?.meanMs).toBeCloseTo(10, 5);
    expect(mean.value?.recentMs).toBeGreaterThan(19);
  });
});
