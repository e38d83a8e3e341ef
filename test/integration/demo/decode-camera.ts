import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LumaPicture } from '../../../src/demo/picture-clock.ts';
import { CAMERA_HEIGHT, CAMERA_WIDTH } from '../../../src/demo/portrait.ts';

const SAMPLE_RATE = 48_000;

export type DecodedCamera = {
  readonly picture: LumaPicture;
  /** Which of some frequencies is the loudest in the sound. */
  readonly loudestOf: (frequencies: readonly number[]) => number | undefined;
};

/** First picture and sound of a camera's newest whole segment, decoded by ffmpeg. */
export async function decodeCamera(url: string): Promise<DecodedCamera> {
  const playlist = await (await fetch(url)).text();
  const init = /URI="(init-\d+\.mp4)"/.exec(playlist)?.[1];
  const segment = playlist.match(/^\d+\.m4s$/gm)?.at(-1);
  if (init === undefined || segment === undefined) throw new Error(`no segment in ${playlist}`);
  const parts = await Promise.all(
    [init, segment].map(async (name) => (await fetch(new URL(name, url))).arrayBuffer()),
  );
  const folder = await mkdtemp(path.join(tmpdir(), 'chalkreel-camera-'));
  try {
    const [input, luma, sound] = ['in.mp4', 'luma', 'sound'].map((n) => path.join(folder, n));
    await writeFile(input ?? '', Buffer.concat(parts.map((part) => Buffer.from(part))));
    await ffmpeg([
      ...['-i', input ?? ''],
      ...['-map', '0:v', '-frames:v', '1', '-pix_fmt', 'gray', '-f', 'rawvideo', luma ?? ''],
      ...['-map', '0:a', '-ar', String(SAMPLE_RATE), '-ac', '1', '-f', 's16le', sound ?? ''],
    ]);
    const samples = new Int16Array(new Uint8Array(await readFile(sound ?? '')).buffer);
    const picture = {
      luma: await readFile(luma ?? ''),
      width: CAMERA_WIDTH,
      height: CAMERA_HEIGHT,
    };
    return { picture, loudestOf: (frequencies) => loudest(samples, frequencies) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function ffmpeg(args: readonly string[]): Promise<void> {
  const child = spawn('ffmpeg', ['-nostdin', '-loglevel', 'error', ...args], { stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}`);
}

function loudest(samples: Int16Array, frequencies: readonly number[]): number | undefined {
  const byPower = frequencies.map((hz) => ({ hz, power: powerAt(samples, hz) }));
  return byPower.sort((a, b) => b.power - a.power)[0]?.hz;
}

/** Power at one frequency (Goertzel). */
function powerAt(samples: Int16Array, hz: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE);
  let [a, b] = [0, 0];
  for (const sample of samples) [a, b] = [sample + turn * a - b, a];
  return a * a + b * b - turn * a * b;
}
