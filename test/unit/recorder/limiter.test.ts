import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CEILING, Limiter, LOOK_AHEAD_MS } from '../../../recorder/classroom/sound/limiter.ts';

const RATE = 44_100;
const BLOCK = 128;
const DELAY = Math.round((LOOK_AHEAD_MS * RATE) / 1000);
/** 32-bit floats, and a gain made by a running sum: sixteen bits of sound do not show it. */
const ROUNDING = 2 ** -15;

/** What comes out for what goes in, block by block as on the audio thread. */
function limit(left: Float32Array, right = left): [Float32Array, Float32Array] {
  const limiter = new Limiter(RATE, 2);
  const out: [Float32Array, Float32Array] = [
    new Float32Array(left.length),
    new Float32Array(left.length),
  ];
  for (let at = 0; at < left.length; at += BLOCK) {
    const cut = (samples: Float32Array): Float32Array => samples.subarray(at, at + BLOCK);
    limiter.process([cut(left), cut(right)], [cut(out[0]), cut(out[1])]);
  }
  return out;
}

const sine = (hz: number, amplitude: number, samples: number): Float32Array =>
  Float32Array.from(
    { length: samples },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / RATE),
  );
const peakOf = (samples: Float32Array): number =>
  samples.reduce((peak, s) => Math.max(peak, Math.abs(s)), 0);

describe('limiter', () => {
  it('changes nothing but the time of sound below its ceiling', () => {
    const sound = sine(440, 0.8, RATE / 2);
    const [left] = limit(sound);
    expect(left.subarray(DELAY)).toEqual(sound.subarray(0, sound.length - DELAY));
    expect(peakOf(left.subarray(0, DELAY))).toBe(0);
  });

  it('lets no sample above its ceiling, whatever comes', () => {
    const sample = fc.float({ min: -8, max: 8, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 10, maxLength: 600 }),
        fc.nat(500),
        (loud, quiet) => {
          const sound = Float32Array.from([...new Array<number>(quiet).fill(0.1), ...loud]);
          const padded = new Float32Array(Math.ceil((sound.length + DELAY) / BLOCK) * BLOCK);
          padded.set(sound);
          for (const channel of limit(
            padded,
            padded.map((s) => -s / 2),
          )) {
            expect(peakOf(channel)).toBeLessThanOrEqual(CEILING + ROUNDING);
          }
        },
      ),
    );
  });

  it('turns a loud mix down without a jump: no step between samples is larger than the sound itself makes', () => {
    const [amplitude, hz] = [3, 300];
    const quiet = sine(hz, 0.2, RATE / 4);
    const sound = Float32Array.from([...quiet, ...sine(hz, amplitude, RATE / 4), ...quiet]);
    const [left] = limit(sound);
    const steps = left.slice(1).map((s, i) => Math.abs(s - (left[i] ?? 0)));
    // the steepest step of a sine at the ceiling, and what the ramp of the gain adds over the look-ahead
    const steepest = 2 * Math.PI * (hz / RATE) * CEILING + (amplitude * 2) / DELAY;
    expect(peakOf(steps)).toBeLessThan(steepest);
  });

  it('gives back the full level after a loud sound', () => {
    const sound = Float32Array.from([...sine(300, 2, 4096), ...sine(440, 0.5, 2 * RATE)]);
    const [left] = limit(sound);
    // ten times its release
    expect(peakOf(left.subarray(4096 + RATE))).toBeCloseTo(0.5, 3);
  });
});
