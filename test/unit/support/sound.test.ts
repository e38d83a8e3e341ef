import { describe, expect, it } from 'vitest';
import { findBeeps } from '../../support/flash-beep-reader.ts';
import type { Pcm } from '../../support/pcm.ts';
import { findTones } from '../../support/tone-reader.ts';

const SAMPLE_RATE = 48_000;

function sound(seconds: number, at: (t: number) => number): Pcm {
  const samples = Float32Array.from({ length: seconds * SAMPLE_RATE }, (_, i) =>
    at(i / SAMPLE_RATE),
  );
  return { sampleRate: SAMPLE_RATE, startS: 10, samples };
}
const sine = (hz: number, t: number): number => Math.sin(2 * Math.PI * hz * t);

describe('tone reader', () => {
  it('measures the level of a tone, also between the bins of its window', () => {
    // 997.3 Hz has no whole number of periods in 100 ms; Hann's lobes then cost under 0.1 dB.
    const [first] = findTones(
      sound(0.1, (t) => 0.1 * sine(997.3, t)),
      [997.3],
    );
    expect(first?.startS).toBe(10);
    expect(first?.levelsDb.get(997.3)).toBeCloseTo(-20, 0);
  });

  it('tells neighbours 60 Hz apart from each other', () => {
    const [first] = findTones(
      sound(0.1, (t) => 0.5 * sine(440, t)),
      [380, 440, 500],
    );
    expect(first?.present).toEqual([440]);
  });

  it('hears nothing in silence and notices when a tone starts', () => {
    const heard = findTones(
      sound(0.4, (t) => (t < 0.2 ? 0 : 0.2 * sine(700, t))),
      [700],
    );
    expect(heard.map((h) => h.present)).toEqual([[], [], [700], [700]]);
  });
});

describe('beep reader', () => {
  it('gives the first loud sample of each beep', () => {
    const beeps = findBeeps(
      sound(2.5, (t) => (t >= 1 && t % 1 < 0.1 ? Math.cos(2000 * Math.PI * t) : 0)),
    );
    expect(beeps).toEqual([11, 12]);
  });

  it('counts no beep in silence, hiss or a steady tone but its start', () => {
    expect(findBeeps(sound(1, () => 0))).toEqual([]);
    expect(findBeeps(sound(1, (t) => 0.02 * sine(3000, t)))).toEqual([]);
    expect(findBeeps(sound(1, (t) => sine(500, t + 0.0005)))).toEqual([10]);
  });
});
