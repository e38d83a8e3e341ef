import Hls from 'hls.js';
import type { StreamSource } from '../../src/model/recording.ts';
import type { SourceState } from '../../src/protocol/page.ts';

/** How often a player is looked at. */
const WATCH_MS = 200;
/** A picture that has stood this long is called lost: longer than a hiccup, short enough to be honest. */
const STALL_MS = 1200;
/** A player that has not begun after this is opened anew. */
const START_TIMEOUT_MS = 6000;
/** Pause between tries of a lost source: it must be back on screen 2 s after its return. */
const RETRY_MS = 400;

export type StreamPlayer = {
  readonly state: () => SourceState;
  readonly currentTime: () => number;
  readonly latencyMs: () => number | null;
  readonly frames: () => { readonly decoded: number; readonly dropped: number };
};

type Attempt = { readonly close: () => void; readonly latencyMs: () => number | null };

/**
 * Plays a source in `video` for ever. When its picture stands still the player says so, asks for the source until
 * it answers, and starts anew: nothing is carried over from before, so any kind of restart is survived.
 */
export function playStream(
  source: StreamSource,
  video: HTMLVideoElement,
  onState: (state: SourceState) => void,
): StreamPlayer {
  let state: SourceState = 'connecting';
  let attempt: Attempt | undefined;
  let lastTime = 0;
  let lastMoveMs = performance.now();
  const before = { decoded: 0, dropped: 0 };

  const become = (next: SourceState): void => {
    if (next === state) return;
    state = next;
    onState(next);
  };
  const open = (): void => {
    lastTime = 0;
    lastMoveMs = performance.now();
    attempt =
      source.kind === 'hls' ? openHls(source.url, video, lose) : openFile(source.url, video);
  };
  const lose = (): void => {
    if (attempt === undefined) return;
    const { decoded, dropped } = count(video);
    before.decoded += decoded;
    before.dropped += dropped;
    attempt.close();
    attempt = undefined;
    if (state === 'playing') become('reconnecting');
    void untilAnswered(source.url).then(open);
  };
  const watch = (): void => {
    if (attempt === undefined) return;
    const now = performance.now();
    if (video.currentTime !== lastTime && video.videoWidth > 0) {
      lastTime = video.currentTime;
      lastMoveMs = now;
      become('playing');
    } else if (video.ended) {
      lastMoveMs = now;
    } else if (now - lastMoveMs > (state === 'playing' ? STALL_MS : START_TIMEOUT_MS)) {
      lose();
    }
  };
  video.addEventListener('playing', watch);
  video.addEventListener('error', lose);
  setInterval(watch, WATCH_MS);
  open();
  return {
    state: () => state,
    currentTime: () => video.currentTime,
    latencyMs: () => (state === 'playing' ? (attempt?.latencyMs() ?? null) : null),
    frames: () => {
      const { decoded, dropped } = count(video);
      return { decoded: before.decoded + decoded, dropped: before.dropped + dropped };
    },
  };
}

function openHls(url: string, video: HTMLVideoElement, onFatal: () => void): Attempt {
  const hls = new Hls({
    lowLatencyMode: true,
    // four small streams: a worker each would cost more memory than it saves time
    enableWorker: false,
    startFragPrefetch: true,
    testBandwidth: false,
    maxBufferLength: 10,
    backBufferLength: 4,
    // a tile is small: never fetch more pixels than are shown
    capLevelToPlayerSize: true,
  });
  hls.on(Hls.Events.ERROR, (_, { fatal, details }) => {
    // a stream that has only just begun: hls.js would wait for seconds, we look again at once
    if (fatal || details === Hls.ErrorDetails.LEVEL_EMPTY_ERROR) onFatal();
  });
  hls.on(Hls.Events.MANIFEST_PARSED, () => {
    start(video);
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  return {
    close: () => {
      hls.destroy();
    },
    latencyMs: () => (hls.latency > 0 ? Math.round(hls.latency * 1000) : null),
  };
}

function openFile(url: string, video: HTMLVideoElement): Attempt {
  video.src = url;
  start(video);
  return {
    close: () => {
      video.removeAttribute('src');
      video.load();
    },
    latencyMs: () => null,
  };
}

/** Plays with sound; where the browser wants a gesture for that (a person opened the page), without. */
function start(video: HTMLVideoElement): void {
  video.play().catch((error: unknown) => {
    if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return;
    video.muted = true;
    video.play().catch(() => undefined); // the watch sees that nothing moves
  });
}

/** Resolves when the source answers again. */
async function untilAnswered(url: string): Promise<void> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    try {
      const abort = new AbortController();
      const response = await fetch(url, { cache: 'no-store', signal: abort.signal });
      abort.abort(); // only the status matters
      if (response.ok) return;
    } catch {
      // not there yet
    }
  }
}

function count(video: HTMLVideoElement): { decoded: number; dropped: number } {
  const quality = video.getVideoPlaybackQuality();
  return { decoded: quality.totalVideoFrames, dropped: quality.droppedVideoFrames };
}
