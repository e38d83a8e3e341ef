import type { CDPSession } from '../browser.ts';
import { MAX_VIDEOS, WORLD } from './page-world.ts';

/** Videos are looked for this often, ms. */
const LOOK_MS = 250;
/** From one change until the next may be asked for, ms: every second picture of a video of 30 a second is another one's. */
const PAUSE_MS = 25;

/**
 * Keeps Chrome from leaving pictures out of its tab capture. Where most of what is drawn in a second is drawn in one and the same
 * rectangle (a playing video), the capture takes that for all that matters: a picture in which anything else has changed as well is
 * not captured, nor is anything at all for 250 ms after the video has moved (Chromium's `AnimatedContentSampler`, for which there is
 * no switch). So while a video plays, up to twenty of its pictures a second are drawn with a rectangle of their own: three
 * of them by turns, each by a pixel larger than the one before, none of them two thirds of what is drawn. Measured: docs/measurements.md.
 */
export async function installVariedDamage(client: CDPSession): Promise<void> {
  await client.send('Page.addScriptToEvaluateOnNewDocument', { source: SCRIPT, worldName: WORLD });
}

/**
 * The specks lie in opposite corners, so that what changes spans the page, and are too faint to be seen. They change in the frame that
 * tells of a video's new picture, so that no frame is drawn for them alone, and only while one comes. Where videos span the page by
 * themselves all frames are drawn in one rectangle, and nothing is left out.
 */
const SCRIPT = `(() => {
  if (globalThis.top !== globalThis) return;
  const FAINT = ['0.002', '0.003'];
  let specks = [];
  let playing = [];
  let asked = new Map();
  let turn = 0;
  let isPause = false;
  const addSpeck = (place) => {
    const speck = document.createElement('i');
    speck.style.cssText =
      'all: initial; position: fixed; width: 1px; height: 1px; background: #000; pointer-events: none; ' +
      'z-index: 2147483647; will-change: opacity; opacity: ' + FAINT[0] + '; ' + place;
    document.documentElement.append(speck);
    return speck;
  };
  const change = (speck) => {
    speck.style.opacity = speck.style.opacity === FAINT[0] ? FAINT[1] : FAINT[0];
  };
  const spanPage = (boxes) =>
    Math.min(...boxes.map(({ left }) => left)) <= 0 &&
    Math.min(...boxes.map(({ top }) => top)) <= 0 &&
    Math.max(...boxes.map(({ right }) => right)) >= innerWidth &&
    Math.max(...boxes.map(({ bottom }) => bottom)) >= innerHeight;
  const cancel = () => {
    for (const [video, handle] of asked) video.cancelVideoFrameCallback(handle);
    asked.clear();
  };
  const ask = () => {
    cancel();
    isPause = false;
    asked = new Map(playing.map((video) => [video, video.requestVideoFrameCallback(draw)]));
  };
  const draw = () => {
    cancel();
    if (!specks[0]?.isConnected) {
      specks = ['left: 0; top: 0', ...[0, 1, 2].map((y) => 'right: 0; bottom: ' + y + 'px')].map(addSpeck);
    }
    change(specks[0]);
    turn = (turn + 1) % 3;
    change(specks[1 + turn]);
    isPause = true;
    setTimeout(ask, ${PAUSE_MS});
  };
  const look = () => {
    const videos = [...document.querySelectorAll('video')].slice(0, ${MAX_VIDEOS});
    playing = videos.filter((video) => !video.paused && !video.ended && video.offsetWidth > 0);
    if (spanPage(playing.map((video) => video.getBoundingClientRect()))) playing = [];
    if (!isPause) ask();
  };
  setInterval(look, ${LOOK_MS});
  look();
})()`;
