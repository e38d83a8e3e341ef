import { decodePcm, type Pcm } from './pcm.ts';

/** The tones heard in one window of sound. */
export type HeardTones = {
  readonly startS: number;
  /** Level of each asked frequency in dB below a full-scale sine. */
  readonly levelsDb: ReadonlyMap<number, number>;
  /** The frequencies at or above the threshold. */
  readonly present: readonly number[];
};

export type ToneOptions = {
  /** Length of a window, ms: two tones are told apart when more than 4 / window apart (Hann). Default 100 ms: 40 Hz. */
  readonly windowMs?: number;
  /** Default −40 dB: far below the quietest tone played, far above what AAC leaves of silence. */
  readonly thresholdDb?: number;
};

/** Which of the given frequencies sound in a file or playlist, window after window. */
export async function readTones(
  path: string,
  frequencies: readonly number[],
  options: ToneOptions = {},
): Promise<HeardTones[]> {
  return findTones(await decodePcm(path), frequencies, options);
}

/** The same for decoded sound. */
export function findTones(
  pcm: Pcm,
  frequencies: readonly number[],
  { windowMs = 100, thresholdDb = -40 }: ToneOptions = {},
): HeardTones[] {
  const length = Math.round((windowMs * pcm.sampleRate) / 1000);
  const heard: HeardTones[] = [];
  for (let from = 0; from + length <= pcm.samples.length; from += length) {
    const window = hann(pcm.samples.subarray(from, from + length));
    const levelsDb = new Map(
      frequencies.map((hz) => [hz, 20 * Math.log10(goertzel(window, hz / pcm.sampleRate) + 1e-9)]),
    );
    heard.push({
      startS: pcm.startS + from / pcm.sampleRate,
      levelsDb,
      present: frequencies.filter((hz) => (levelsDb.get(hz) ?? -Infinity) >= thresholdDb),
    });
  }
  return heard;
}

/** Fades the window's ends, so that a tone does not leak into its neighbours; mean gain 1. */
function hann(samples: Float32Array): Float32Array {
  return samples.map((s, i) => s * (1 - Math.cos((2 * Math.PI * (i + 0.5)) / samples.length)));
}

/** Amplitude of one frequency (in cycles per sample), 1 for a full-scale sine. */
function goertzel(samples: Float32Array, frequency: number): number {
  const coefficient = 2 * Math.cos(2 * Math.PI * frequency);
  let s1 = 0;
  let s2 = 0;
  for (const sample of samples) {
    const s0 = sample + coefficient * s1 - s2;
    s2 = s1;
    s1 = s0;
  }
  const power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
  return (2 * Math.sqrt(Math.max(0, power))) / samples.length;
}
