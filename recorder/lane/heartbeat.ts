import type { CDPSession } from '../browser.ts';
import { MAX_VIDEOS, WORLD } from './page-world.ts';

/** A recorded page's main thread says this often that it runs, ms. */
export const BEAT_MS = 250;
/** Longer than a recording may last: what a broken clock might say is cut here. */
const MAX_STANDING_MS = 86_400_000;
const BINDING = '__chalkreelBeat';

/**
 * Installs the beacon in the page, before it is opened. `onBeat` gets, for as long as the page's main thread runs, how long
 * the worst of its playing videos has shown no new picture, ms; 0 when all go on or none plays.
 */
export async function installHeartbeat(
  client: CDPSession,
  onBeat: (standingMs: number) => void,
): Promise<void> {
  client.on('Runtime.bindingCalled', (event) => {
    if (event.name === BINDING) onBeat(parseBeat(event.payload));
  });
  await client.send('Runtime.addBinding', { name: BINDING, executionContextName: WORLD });
  await client.send('Page.addScriptToEvaluateOnNewDocument', {
    source: SCRIPT,
    worldName: WORLD,
  });
}

function parseBeat(payload: string): number {
  const standingMs = Number(payload);
  return standingMs >= 0 ? Math.min(standingMs, MAX_STANDING_MS) : 0;
}

/**
 * Frames of the page's own site share its main thread, so the top one speaks for all. A video that should play: not paused,
 * not at its end, has had a picture, and its tracks are not muted at their source.
 */
const SCRIPT = `(() => {
  if (globalThis.top !== globalThis) return;
  const seen = new WeakMap();
  const shouldPlay = (video) => {
    if (video.paused || video.ended || video.playbackRate === 0 || video.videoWidth === 0) return false;
    const tracks = video.srcObject instanceof MediaStream ? video.srcObject.getVideoTracks() : [];
    return tracks.length === 0 || tracks.some((track) => track.readyState === 'live' && !track.muted);
  };
  const standingMs = (video, now) => {
    if (!shouldPlay(video)) {
      seen.delete(video);
      return 0;
    }
    const frames = video.getVideoPlaybackQuality().totalVideoFrames;
    const last = seen.get(video);
    if (last !== undefined && last.frames === frames) return now - last.atMs;
    seen.set(video, { frames, atMs: now });
    return 0;
  };
  const beat = () => {
    const now = performance.now();
    const videos = [...document.querySelectorAll('video')].slice(0, ${MAX_VIDEOS});
    const standing = videos.map((video) => standingMs(video, now));
    globalThis.${BINDING}(String(Math.round(Math.max(0, ...standing))));
  };
  setInterval(beat, ${BEAT_MS});
  beat();
})()`;
