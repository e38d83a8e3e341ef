import path from 'node:path';
import { readFile } from 'node:fs/promises';
import { CAST } from '../../../src/demo/cast.ts';
import { CAMERA_FPS, renderLoop } from '../../../src/demo/loops.ts';
import { CAMERA_HEIGHT, CAMERA_WIDTH } from '../../../src/demo/portrait.ts';
import type { ServedPages } from '../../support/page-server.ts';
import { runProgram } from '../../support/programs.ts';

/** Length of a camera's film, s; it is repeated. Not a multiple of the portrait's loop, so that hands and noise do not meet again soon. */
const FILM_S = 31;
/** Strength of the noise a small sensor makes indoors, of 255, new in every picture: what makes cameras dear. */
const NOISE = 7;

/** Films of the demo's cast as webcams see them: noisy, never quite still; by the path that `CAMERAS_PAGE` plays. */
export async function makeCameraFilms(folder: string): Promise<ServedPages> {
  const films = await Promise.all(
    CAST.map(async (member, i) => {
      const loop = await renderLoop(member, path.join(folder, 'loops'));
      const file = path.join(folder, `camera-${i}.mp4`);
      await runProgram('ffmpeg', filmArguments({ ...loop, seed: i + 1, file }));
      return [`/camera-${i}.mp4`, { type: 'video/mp4', body: await readFile(file) }] as const;
    }),
  );
  return Object.fromEntries(films);
}

function filmArguments(film: {
  readonly picturePath: string;
  readonly tonePath: string;
  readonly seed: number;
  readonly file: string;
}): string[] {
  const raw = ['-f', 'rawvideo', '-pixel_format', 'yuv420p'];
  const size = ['-video_size', `${CAMERA_WIDTH}x${CAMERA_HEIGHT}`];
  const sway = `crop=iw-16:ih-9:8+8*sin(t*${0.5 + film.seed / 10}):4+4*sin(t*${0.8 + film.seed / 7})`;
  return [
    ...['-v', 'error', '-y'],
    ...['-stream_loop', '-1', ...raw, ...size, '-framerate', String(CAMERA_FPS)],
    ...['-i', film.picturePath],
    ...['-stream_loop', '-1', '-f', 's16le', '-ar', '48000', '-ac', '1', '-i', film.tonePath],
    // a hand-held 640×360 camera of 30 pictures a second
    ...[
      '-vf',
      `scale=960:540,${sway},scale=640:360,fps=30,noise=c0s=${NOISE}:c0f=t:all_seed=${film.seed}`,
    ],
    ...['-t', String(FILM_S), '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', '-g', '60'],
    ...['-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '96k', '-movflags', '+faststart', film.file],
  ];
}
