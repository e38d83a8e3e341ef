import Hls, { type HlsConfig, type LoadPolicy } from 'hls.js';

/** Behind the newest segment by more than this, the viewer is told how to get back, seconds. */
const LIVE_LAG_S = 15;
const SEGMENT_S = 1.6;

export type PlayerEvents = {
  /** What keeps the picture from playing, for people; empty when nothing does. */
  readonly onNotice: (text: string) => void;
  /** The browser lets nothing play by itself. */
  readonly onBlocked: () => void;
};

/** Plays one recording in a video element, live or whole. */
export type Player = {
  /** `isLive`: begin near the newest picture instead of at the start. */
  load(url: string, options: { readonly isLive: boolean }): void;
  goLive(): void;
  isBehindLive(): boolean;
};

/** A worker's picture may take a while: playlist requests are repeated patiently, without end. */
const PATIENT: LoadPolicy = {
  default: {
    maxTimeToFirstByteMs: 10_000,
    maxLoadTimeMs: 20_000,
    timeoutRetry: { maxNumRetry: 1000, retryDelayMs: 1000, maxRetryDelayMs: 4000 },
    errorRetry: { maxNumRetry: 1000, retryDelayMs: 1000, maxRetryDelayMs: 4000 },
  },
};

const SETTINGS: Partial<HlsConfig> = {
  // Three segments behind the newest: one is being made, one may be late.
  liveSyncDuration: 3 * SEGMENT_S,
  liveMaxLatencyDuration: Infinity,
  backBufferLength: 60,
  manifestLoadPolicy: PATIENT,
  playlistLoadPolicy: PATIENT,
  enableWorker: true,
};

/** Makes a player; hls.js where it works, else the browser's own HLS (iPhone). */
export function createPlayer(video: HTMLVideoElement, events: PlayerEvents): Player {
  let hls: Hls | undefined;
  video.addEventListener('playing', () => {
    events.onNotice('');
  });
  const play = (): void => {
    video.play().catch(() => {
      events.onBlocked();
    });
  };
  const loadByHls = (url: string, isLive: boolean): void => {
    hls?.destroy();
    hls = new Hls({ ...SETTINGS, startPosition: isLive ? -1 : 0 });
    recoverByItself(hls, { url, events });
    hls.on(Hls.Events.MANIFEST_PARSED, play);
    hls.loadSource(url);
    hls.attachMedia(video);
  };
  const liveEdge = (): number | undefined => {
    if (hls !== undefined) return hls.liveSyncPosition ?? undefined;
    const { seekable } = video;
    return seekable.length === 0 ? undefined : seekable.end(seekable.length - 1) - 3 * SEGMENT_S;
  };
  return {
    load(url, { isLive }) {
      if (Hls.isSupported()) {
        loadByHls(url, isLive);
      } else {
        video.src = url;
        play();
      }
    },
    goLive() {
      const edge = liveEdge();
      if (edge !== undefined) video.currentTime = edge;
      play();
    },
    isBehindLive() {
      const edge = liveEdge();
      return edge !== undefined && edge - video.currentTime > LIVE_LAG_S;
    },
  };
}

function recoverByItself(hls: Hls, { url, events }: { url: string; events: PlayerEvents }): void {
  hls.on(Hls.Events.ERROR, (_event, data) => {
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR) {
      hls.recoverMediaError();
      return;
    }
    events.onNotice('The connection was lost. Trying again…');
    setTimeout(() => {
      // Without a playlist there is nothing to go on with.
      if (hls.levels.length === 0) hls.loadSource(url);
      else hls.startLoad();
    }, 2000);
  });
}
