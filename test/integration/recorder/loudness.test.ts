import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SoundProbe, type Loudness } from '../../../recorder/page/sound-probe.ts';
import { Resources } from '../../../src/lifecycle.ts';
import { runProgram } from '../../support/programs.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

const RATE = 48_000;
const BLOCK = 1024;
/** Both round to 0.1 LU, and ours sorts the edge of the relative gate into bins of 0.1 LU. */
const LOUDNESS_TOLERANCE_LU = 0.2;
/** ffmpeg interpolates with a longer filter; annex 2 of BS.1770-4 allows 0.7 dB between such meters. */
const PEAK_TOLERANCE_DB = 0.7;

type Stereo = { readonly left: Float32Array; readonly right: Float32Array };
type Sample = (i: number, random: () => number) => number;

const resources = new Resources();
let folder: string;

beforeAll(async () => {
  folder = resources.use(await makeTempFolder('loudness')).path;
});
afterAll(() => resources.close());

function stereo(seconds: number, left: Sample, right: Sample): Stereo {
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const make = (sample: Sample): Float32Array =>
    Float32Array.from({ length: seconds * RATE }, (_, i) => sample(i, random));
  return { left: make(left), right: make(right) };
}

const tone =
  (hz: number, amplitude: number): Sample =>
  (i) =>
    amplitude * Math.sin((2 * Math.PI * hz * i) / RATE);
/** Words and pauses: noise that swells four times a second, for three of every five seconds. */
const speech: Sample = (i, random) =>
  Math.floor(i / RATE) % 5 < 3 ? 0.4 * random() * Math.sin((4 * Math.PI * i) / RATE) ** 2 : 0;
const hum = tone(50, 0.003);

const SOUNDS: readonly (readonly [what: string, sound: Stereo])[] = [
  ['a tone on both channels', stereo(6, tone(997, 0.25), tone(997, 0.25))],
  ['a high tone on one channel', stereo(6, tone(11_000, 0.7), () => 0)],
  ['speech with pauses over a hum', stereo(20, (i, r) => speech(i, r) + hum(i, r), hum)],
  [
    'loud noise, then quiet music',
    stereo(20, (i, r) => (i < 8 * RATE ? 0.9 * r() : tone(440, 0.02)(i, r)), tone(660, 0.05)),
  ],
];

function measure({ left, right }: Stereo): Loudness {
  const probe = new SoundProbe({ onBegun: () => undefined, onEnded: () => undefined });
  for (let i = 0; i + BLOCK <= left.length; i += BLOCK) {
    const block = { left: left.subarray(i, i + BLOCK), right: right.subarray(i, i + BLOCK) };
    probe.listen({ index: i / BLOCK, ...block }, (i / RATE) * 1000);
  }
  return probe.loudness;
}

async function measureWithFfmpeg({ left, right }: Stereo, name: string): Promise<number[]> {
  const samples = Float32Array.from({ length: 2 * left.length }, (_, i) =>
    Number((i % 2 === 0 ? left : right)[i >> 1]),
  );
  const file = path.join(folder, `${name}.f32`);
  await writeFile(file, Buffer.from(samples.buffer));
  const { stderr } = await runProgram('ffmpeg', [
    ...['-hide_banner', '-nostdin', '-nostats', '-f', 'f32le', '-ar', String(RATE), '-ac', '2'],
    ...['-i', file, '-filter:a', 'ebur128=peak=true', '-f', 'null', '-'],
  ]);
  const summary = stderr.slice(stderr.lastIndexOf('Summary:'));
  return [/I:\s+(\S+) LUFS/, /Peak:\s+(\S+) dBFS/].map((what) => Number(what.exec(summary)?.[1]));
}

describe('loudness and true peak', () => {
  it.each(SOUNDS)("are those of ffmpeg's ebur128: %s", async (what, sound) => {
    const { integratedLufs, truePeakDbtp } = measure(sound);
    const [lufs, peak] = await measureWithFfmpeg(sound, what.replaceAll(/\W/g, '-'));
    expect(Math.abs(Number(integratedLufs) - lufs!)).toBeLessThanOrEqual(LOUDNESS_TOLERANCE_LU);
    expect(Math.abs(Number(truePeakDbtp) - peak!)).toBeLessThanOrEqual(PEAK_TOLERANCE_DB);
  });
});
