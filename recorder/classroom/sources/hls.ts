import Hls, { type ErrorData } from 'hls.js';
import {
  asSourceError,
  fetchSource,
  LostSource,
  makeElementFor,
  NO_LOSSES,
  startElement,
  type OpenPlayback,
  type SourceError,
} from './playback.ts';
import { watchTime } from './media-time.ts';

/** A playlist is answered within this; a low-latency server may hold a request for a target duration or two. */
const PLAYLIST_TIMEOUT_MS = 8000;

const UNSUPPORTED: readonly string[] = [
  Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR,
  Hls.ErrorDetails.BUFFER_ADD_CODEC_ERROR,
  Hls.ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR,
];

/** Live HLS by hls.js, with low latency where the playlist offers parts. */
export const openHls: OpenPlayback<'hls' | 'file'> = (source, { withPicture, mixer, onLost }) => {
  const element = makeElementFor(withPicture);
  const sound = mixer.addElement(element);
  const time = watchTime(element);
  const abort = new AbortController();
  const hls = new Hls({
    lowLatencyMode: true,
    // some small streams: a worker each would cost more memory than it saves time
    enableWorker: false,
    startFragPrefetch: true,
    testBandwidth: false,
    maxBufferLength: 10,
    backBufferLength: 4,
    // a tile is small: never fetch more pixels than are shown
    capLevelToPlayerSize: true,
  });
  const lose = (error: SourceError): void => {
    if (!abort.signal.aborted) onLost(error);
  };
  hls.on(Hls.Events.ERROR, (_, data) => {
    // a stream that has only just begun: hls.js would wait for seconds, we look again at once
    if (data.fatal || data.details === Hls.ErrorDetails.LEVEL_EMPTY_ERROR) lose(nameError(data));
  });
  hls.on(Hls.Events.MANIFEST_PARSED, () => {
    startElement(element);
  });
  probe(source.url, abort.signal).then(
    () => {
      if (abort.signal.aborted) return;
      hls.loadSource(source.url);
      hls.attachMedia(element);
    },
    (error: unknown) => lose(asSourceError(error, 'unreachable')),
  );
  return {
    element,
    setHeard: (isHeard) => sound.setHeard(isHeard),
    lastSoundMs: time.lastMovedMs,
    level: () => 0,
    latencyMs: () => (hls.latency > 0 ? Math.round(hls.latency * 1000) : null),
    losses: () => NO_LOSSES,
    flaw: () => undefined,
    silence: () => ({ code: 'no-media', detail: 'the playlist brings nothing new' }),
    close: () => {
      abort.abort();
      hls.destroy();
      sound.close();
    },
  };
};

/** Asks for the playlist first: what is wrong with it gets its name here, and a dead server costs one small request. */
async function probe(url: string, signal: AbortSignal): Promise<void> {
  const response = await fetchSource(url, { timeoutMs: PLAYLIST_TIMEOUT_MS, signal });
  const text = await response.text();
  if (!text.startsWith('#EXTM3U')) {
    throw new LostSource('bad-answer', `expected a playlist, got "${text.slice(0, 40)}"`);
  }
}

function nameError(data: ErrorData): SourceError {
  const { details, type, error } = data;
  const status = data.response?.code;
  const detail = `${details}${status === undefined ? '' : `, status ${status}`}: ${error.message}`;
  if (UNSUPPORTED.includes(details)) return { code: 'codec-unsupported', detail };
  if (type === Hls.ErrorTypes.MEDIA_ERROR || type === Hls.ErrorTypes.MUX_ERROR)
    return { code: 'bad-media', detail };
  if (status === 401 || status === 403) return { code: 'unauthorized', detail };
  return { code: status === 0 ? 'unreachable' : 'server-error', detail };
}
