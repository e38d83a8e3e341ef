import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deferred, type Closable } from '../../src/lifecycle.ts';

/** What goes wrong in the page, one after the other, and how long each lasts, ms. */
const TROUBLES = {
  /** All but a dark dot that moves is black. */
  black: 3000,
  silent: 3000,
  /** Nothing is drawn, nothing plays. */
  still: 3000,
  /** The main thread is busy, and says through the beacon's own door, if it finds it, that all is well. */
  blocked: 5000,
  /** A playing video gets no new picture. */
  standing: 3000,
} as const;
export type Trouble = keyof typeof TROUBLES;
/** All is well for so long before, between and after. */
const WELL_MS = 1500;
/** From the page's own signal to its last trouble and a little more. */
export const TROUBLED_MS =
  Object.values(TROUBLES).reduce((sum, ms) => sum + ms + WELL_MS, 0) + WELL_MS;

/** When a trouble began and ended by the page's own clock, Unix ms. */
export type TroubleTimes = Readonly<
  Record<Trouble, { readonly startMs: number; readonly endMs: number }>
>;

export type TroubledPage = Closable & {
  readonly url: string;
  /** Resolves when the page is through. */
  readonly times: Promise<TroubleTimes>;
};

/** Serves a page that draws, sounds and plays a video, says that it is ready, and then has its troubles. */
export async function serveTroubledPage(): Promise<TroubledPage> {
  const times = deferred<TroubleTimes>();
  const server = createServer((request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
      return;
    }
    void readText(request).then((text) => {
      times.resolve(JSON.parse(text) as TroubleTimes);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    times: times.promise,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** Plain browser JavaScript. The video is a canvas of the page's own, which counts its pictures as any other does. */
const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>Troubled</title>
<style>
  html, body { margin: 0; height: 100%; overflow: hidden; background: #000 }
  canvas { display: block; width: 100vw; height: 100vh }
  video { position: absolute; right: 0; bottom: 0; width: 32px; height: 32px }
</style>
<canvas></canvas>
<video muted></video>
<script>
const troubles = ${JSON.stringify(TROUBLES)};
const canvas = document.querySelector('canvas');
const context = canvas.getContext('2d', { alpha: false });
const video = document.querySelector('video');
const film = Object.assign(document.createElement('canvas'), { width: 32, height: 32 });
const filmContext = film.getContext('2d', { alpha: false });
const clock = () => performance.timeOrigin + performance.now();
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let now = '';
let count = 0;

function draw() {
  requestAnimationFrame(draw);
  if (now === 'still') return;
  count += 1;
  const isBlack = now === 'black';
  context.fillStyle = isBlack ? '#000' : '#48a';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = isBlack ? '#101010' : '#fff';
  context.fillRect((count * 4) % canvas.width, canvas.height / 2, 40, 40);
  if (now === 'standing') return;
  filmContext.fillStyle = count % 2 === 0 ? '#060606' : '#0a0a0a';
  filmContext.fillRect(0, 0, 32, 32);
}

async function main() {
  canvas.width = innerWidth;
  canvas.height = innerHeight;
  requestAnimationFrame(draw);
  video.srcObject = film.captureStream(15);
  await video.play();
  const audio = new AudioContext();
  const gain = new GainNode(audio, { gain: 0.2 });
  const tone = new OscillatorNode(audio, { frequency: 440 });
  tone.connect(gain).connect(audio.destination);
  tone.start();
  window.chalkreel?.ready();
  const times = {};
  for (const [trouble, ms] of Object.entries(troubles)) {
    await wait(${WELL_MS});
    const startMs = clock();
    now = trouble;
    if (trouble === 'silent') gain.gain.value = 0;
    if (trouble === 'still') video.pause();
    // It would lie about being alive, if it could.
    if (trouble === 'blocked') while (clock() < startMs + ms) globalThis.__chalkreelBeat?.('0');
    else await wait(ms);
    now = '';
    gain.gain.value = 0.2;
    await video.play();
    times[trouble] = { startMs, endMs: clock() };
  }
  await wait(${WELL_MS});
  await fetch('/', { method: 'POST', body: JSON.stringify(times) });
}
main();
</script>`;
