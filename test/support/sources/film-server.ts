import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Closable } from '../../../src/lifecycle.ts';
import { serveOnLoopback } from '../page-server.ts';
import { runProgram } from '../programs.ts';

const FILM_S = 40;
const FPS = 15;

/** One film with sound, as a file and as HLS, which any page may fetch. */
export type FilmServer = Closable & { readonly fileUrl: string; readonly hlsUrl: string };

/** Makes the film in `folder`, and serves it. */
export async function serveFilm(folder: string): Promise<FilmServer> {
  const [mp4, playlist] = [path.join(folder, 'film.mp4'), path.join(folder, 'film.m3u8')];
  const picture = ['-f', 'lavfi', '-t', `${FILM_S}`, '-i', `testsrc2=s=320x180:r=${FPS}`];
  const sound = ['-f', 'lavfi', '-t', `${FILM_S}`, '-i', 'sine=frequency=500:sample_rate=48000'];
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', `${FPS}`];
  const quiet = ['-v', 'error', '-nostdin', '-y'];
  await runProgram('ffmpeg', [
    ...[...quiet, ...picture, ...sound, ...codecs, '-c:a', 'aac', '-b:a', '64k'],
    ...['-movflags', '+faststart', mp4],
  ]);
  await runProgram('ffmpeg', [
    ...[...quiet, '-i', mp4, '-c', 'copy', '-f', 'hls', '-hls_time', '2'],
    ...['-hls_playlist_type', 'vod', playlist],
  ]);
  const server = await serveOnLoopback((request, response) => {
    const name = path.normalize(new URL(request.url ?? '/', 'http://127.0.0.1').pathname);
    readFile(path.join(folder, name)).then(
      (body) => {
        response.writeHead(200, { ...HEADERS, 'content-length': body.length }).end(body);
      },
      () => response.writeHead(404, HEADERS).end(),
    );
  });
  return {
    fileUrl: `${server.url}/film.mp4`,
    hlsUrl: `${server.url}/film.m3u8`,
    close: () => server.close(),
  };
}

const HEADERS = { 'access-control-allow-origin': '*', 'cache-control': 'no-store' };
