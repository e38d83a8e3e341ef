import type Hls from 'hls.js';
import type { ErrorData, HlsConfig, LoadPolicy } from 'hls.js';

/** Behind the newest segment by more than this, the viewer is told how to get back, seconds. */
const LIVE_LAG_S = 15;
const SEGMENT_S = 1.6;
const RELOAD_AFTER_MS = 2000;

export type PlayerEvents = {
  /** What keeps the picture from playing, for people; empty when nothing does. */
  readonly onNotice: (text: string) => void;
  /** The browser lets nothing play by itself. */
  readonly onBlocked?: () => void;
};

export type LoadOptions = {
  /** `live`: near the newest picture; `told`: where the playlist says (`EXT-X-START`). */
  readonly from: 'start' | 'live' | 'told';
  /** Begins without being asked to. */
  readonly autoplay: boolean;
};

/** Plays HLS in a video element, live or whole. */
export type Player = {
  load(url: string, options: LoadOptions): void;
  goLive(): void;
  isBehindLive(): boolean;
  /** Lets go of the video element: something else may be played in it. */
  close(): void;
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

/** Makes a player; hls.js where it works, else the browser's own HLS (older iPhones). */
export function createPlayer(video: HTMLVideoElement, events: PlayerEvents): Player {
  let hls: Hls | undefined;
  /** Counts loads and closes: what was begun for an earlier one comes to nothing. */
  let load = 0;
  const onPlaying = (): void => events.onNotice('');
  video.addEventListener('playing', onPlaying);
  const play = (): void => {
    video.play().catch(() => events.onBlocked?.());
  };
  const loadByHls = async (url: string, { from, autoplay }: LoadOptions): Promise<void> => {
    const mine = load;
    // Fetched when there is something to play: half a megabyte that pages with a whole film can do without.
    const { default: HlsPlayer } = await import('hls.js');
    if (mine !== load) return;
    if (!HlsPlayer.isSupported()) {
      video.src = url;
      if (autoplay) play();
      return;
    }
    hls = new HlsPlayer({ ...SETTINGS, startPosition: from === 'start' ? 0 : -1 });
    recoverByItself(hls, { url, events, HlsPlayer });
    if (autoplay) hls.on(HlsPlayer.Events.MANIFEST_PARSED, play);
    hls.loadSource(url);
    hls.attachMedia(video);
  };
  const stop = (): void => {
    load++;
    hls?.destroy();
    hls = undefined;
  };
  const liveEdge = (): number | undefined => {
    if (hls !== undefined) return hls.liveSyncPosition ?? undefined;
    const { seekable } = video;
    return seekable.length === 0 ? undefined : seekable.end(seekable.length - 1) - 3 * SEGMENT_S;
  };
  return {
    load(url, options) {
      stop();
      loadByHls(url, options).catch(() => {
        events.onNotice('The player could not be loaded. Open the page once more.');
      });
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
    close() {
      stop();
      video.removeEventListener('playing', onPlaying);
    },
  };
}

function recoverByItself(
  hls: Hls,
  { url, events, HlsPlayer }: { url: string; events: PlayerEvents; HlsPlayer: typeof Hls },
): void {
  hls.on(HlsPlayer.Events.ERROR, (_event, data) => {
    if (!data.fatal) return;
    if (data.type === HlsPlayer.ErrorTypes.MEDIA_ERROR) {
      hls.recoverMediaError();
      return;
    }
    if (isRefusal(data)) {
      events.onNotice('This cannot be played: there is nothing behind the link any more.');
      return;
    }
    events.onNotice('The connection was lost. Trying again…');
    const timer = setTimeout(() => {
      // Without a playlist there is nothing to go on with.
      if (hls.levels.length === 0) hls.loadSource(url);
      else hls.startLoad();
    }, RELOAD_AFTER_MS);
    hls.once(HlsPlayer.Events.DESTROYING, () => clearTimeout(timer));
  });
}

/** Statuses that asking again does not change. */
const REFUSALS: readonly number[] = [401, 403, 404, 409, 410];

function isRefusal({ response }: ErrorData): boolean {
  return response?.code !== undefined && REFUSALS.includes(response.code);
}
