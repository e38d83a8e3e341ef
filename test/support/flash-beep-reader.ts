import { readGrayFrames } from './gray-frames.ts';
import { decodePcm, type Pcm } from './pcm.ts';

/** Below the barcode page's bars. */
const BODY = { x: 0, y: 1 / 6, width: 1, height: 5 / 6 } as const;
/** Mean luma of a flash is over 200 (white with a little text), of the dark page under 60. */
const BRIGHT_FROM = 128;

/** PTS of the first bright frame of each flash in a file or playlist, s. */
export async function readFlashes(path: string): Promise<number[]> {
  const frames = await readGrayFrames(path, { region: BODY, columns: 1, rows: 1 });
  const bright = frames.map(({ cells }) => (cells[0] ?? 0) >= BRIGHT_FROM);
  return frames.filter((_, i) => bright[i] === true && bright[i - 1] !== true).map((f) => f.ptsS);
}

export type BeepOptions = {
  /** A beep begins at the first sample this loud, dB below full scale. Default −26: above AAC's pre-echo. */
  readonly thresholdDb?: number;
  /** Quiet that must come before, ms. Default 50: half a beep. */
  readonly quietMs?: number;
};

/** PTS of the first loud sample of each beep in a file or playlist, s. */
export async function readBeeps(path: string, options: BeepOptions = {}): Promise<number[]> {
  return findBeeps(await decodePcm(path), options);
}

/** The same for decoded sound. */
export function findBeeps(
  pcm: Pcm,
  { thresholdDb = -26, quietMs = 50 }: BeepOptions = {},
): number[] {
  const threshold = 10 ** (thresholdDb / 20);
  const quietSamples = (quietMs * pcm.sampleRate) / 1000;
  const onsets: number[] = [];
  let lastLoud = -Infinity;
  pcm.samples.forEach((sample, i) => {
    if (Math.abs(sample) < threshold) return;
    if (i - lastLoud > quietSamples) onsets.push(pcm.startS + i / pcm.sampleRate);
    lastLoud = i;
  });
  return onsets;
}
