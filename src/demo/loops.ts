import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SAMPLE_RATE } from '../model/grid.ts';
import { ChalkreelError } from '../errors.ts';
import { makeFolder } from '../folders.ts';
import type { CastMember, Look } from './cast.ts';
import { drawPortrait } from './portrait.ts';

/** Frames a second of a camera. */
export const CAMERA_FPS = 15;
/** Length of the endless loop of picture and tone. A whole number of periods of every tone. */
const LOOP_SECONDS = 4;
/** Peak of a tone, of full scale: four together stay soft and far from clipping. */
const TONE_PEAK = 0.07;

/** Raw picture (I420) and raw tone (16 bit mono) of a camera, to be repeated for ever. */
export type CameraLoop = { readonly picturePath: string; readonly tonePath: string };

/** Draws a cast member's loop into `folder`, or finds it there from last time. Needs ffmpeg with librsvg. */
export async function renderLoop(
  member: CastMember,
  folder: string,
  signal?: AbortSignal,
): Promise<CameraLoop> {
  await makeFolder(folder);
  const frames = drawFrames(member.look);
  const hash = createHash('sha256')
    .update(frames.join())
    .update(String(member.toneHz))
    .digest('hex');
  const base = path.join(folder, `${member.participantId}-${hash.slice(0, 12)}`);
  const loop = { picturePath: `${base}.yuv`, tonePath: `${base}.pcm` };
  if (!(await exists(loop.tonePath))) {
    await rasterise(frames, loop.picturePath, signal);
    await writeWhole(loop.tonePath, makeTone(member.toneHz));
  }
  return loop;
}

function drawFrames(look: Look): string[] {
  const count = CAMERA_FPS * LOOP_SECONDS;
  return Array.from({ length: count }, (_, i) => drawPortrait(look, i / count));
}

/** A sine whose loudness swells once a loop, so that it tires nobody; it ends where it begins. */
function makeTone(toneHz: number): Buffer {
  const samples = SAMPLE_RATE * LOOP_SECONDS;
  const data = new Int16Array(samples);
  for (let i = 0; i < samples; i++) {
    const swell = 0.75 - 0.25 * Math.cos((2 * Math.PI * i) / samples);
    const sine = Math.sin((2 * Math.PI * toneHz * i) / SAMPLE_RATE);
    data[i] = Math.round(32_767 * TONE_PEAK * swell * sine);
  }
  return Buffer.from(data.buffer);
}

/** Turns SVG drawings into raw pictures, by way of files: ffmpeg takes only one SVG from a pipe. */
async function rasterise(
  frames: readonly string[],
  file: string,
  signal?: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(`${file}.`);
  try {
    const write = (frame: string, i: number): Promise<void> =>
      writeFile(path.join(folder, `${i}.svg`), frame);
    await Promise.all(frames.map(write));
    await runFfmpeg(rasteriseArguments(folder, `${file}.partial`), signal);
    await rename(`${file}.partial`, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function rasteriseArguments(folder: string, output: string): string[] {
  return [
    ['-hide_banner', '-nostdin', '-loglevel', 'error', '-y'],
    // input: one drawing a frame
    ['-framerate', String(CAMERA_FPS), '-i', path.join(folder, '%d.svg')],
    // output: raw pictures in the colours every camera signals
    ['-vf', 'scale=out_color_matrix=bt709:out_range=tv,format=yuv420p', '-f', 'rawvideo', output],
  ].flat();
}

async function runFfmpeg(args: readonly string[], signal?: AbortSignal): Promise<void> {
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'], signal });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4000)));
  const [code, killedBy] = (await once(child, 'close')) as [number | null, string | null];
  if (code === 0) return;
  const end = killedBy ?? `code ${code}`;
  throw new ChalkreelError('ffmpeg-failed', `ffmpeg ${args.join(' ')} ended by ${end}: ${stderr}`, {
    fault: 'dependency',
  });
}

async function writeWhole(file: string, data: Buffer): Promise<void> {
  await writeFile(`${file}.partial`, data);
  await rename(`${file}.partial`, file);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
