import type { Sound } from '../sound/mixer.ts';
import {
  asSourceError,
  fetchSource,
  makeElementFor,
  NO_LOSSES,
  startElement,
  type OpenPlayback,
  type SourceError,
} from './playback.ts';
import { watchTime } from './media-time.ts';

const HEAD_TIMEOUT_MS = 4000;

/** MP4 or WebM over http(s), played once from its beginning; at its end its last picture stays. */
export const openFile: OpenPlayback<'hls' | 'file'> = (source, options) => {
  const { withPicture, mixer, onLost, fromS } = options;
  const element = makeElementFor(withPicture);
  const time = watchTime(element);
  const abort = new AbortController();
  let sound: Sound | undefined;
  let isHeard = false;
  let doubt: SourceError | undefined;
  element.muted = true;
  const hear = (): void => {
    if (sound === undefined) element.muted = !isHeard;
    else sound.setHeard(isHeard);
  };
  element.addEventListener('error', () => {
    if (!abort.signal.aborted) onLost(doubt ?? nameError(element.error?.message ?? ''));
  });
  const play = (): void => {
    if (abort.signal.aborted) return;
    hear();
    element.src = source.url;
    if (fromS > 0) element.currentTime = fromS;
    startElement(element);
  };
  probe(source.url, abort.signal).then(
    () => {
      element.crossOrigin = 'anonymous';
      element.muted = false;
      sound = mixer.addElement(element);
      play();
    },
    (error: unknown) => {
      doubt = asSourceError(error, 'unreachable');
      // it may be there for an element, though not for a script: then it is heard beside the mixer
      if (doubt.code === 'unreachable') play();
      else if (!abort.signal.aborted) onLost(doubt);
    },
  );
  return {
    element,
    setHeard: (next) => {
      isHeard = next;
      hear();
    },
    lastSoundMs: time.lastMovedMs,
    level: () => 0,
    latencyMs: () => null,
    losses: () => NO_LOSSES,
    flaw: () => undefined,
    silence: () => ({ code: 'no-media', detail: 'the file does not come' }),
    close: () => {
      abort.abort();
      element.removeAttribute('src');
      element.load();
      sound?.close();
    },
  };
};

/** Whether the server has the file, and gives it to scripts of this page, as the mixer needs it. Throws LostSource. */
async function probe(url: string, signal: AbortSignal): Promise<void> {
  const enough = new AbortController();
  const both = AbortSignal.any([signal, enough.signal]);
  await fetchSource(url, { timeoutMs: HEAD_TIMEOUT_MS, signal: both });
  enough.abort(); // only the status matters
}

function nameError(words: string): SourceError {
  // Chrome's name for a container whose tracks it cannot decode
  const code = words.includes('NO_SUPPORTED_STREAMS') ? 'codec-unsupported' : 'bad-media';
  return { code, detail: words === '' ? 'the file cannot be decoded' : words };
}
