import type { StreamSource } from '../../../src/model/recording.ts';
import type { SourceErrorCode } from '../../../src/model/source-report.ts';
import type { Mixer } from '../sound/mixer.ts';
import { parseRetryAfter } from './retry-after.ts';

/** Why a source is not there: a name for machines, a sentence for people. */
export type SourceError = {
  readonly code: SourceErrorCode;
  readonly detail: string;
  /** The server asks not to be asked again before. */
  readonly retryAfterMs?: number;
};

export type PlaybackOptions = {
  /** Without, only its sound is fetched or at least decoded: its tile is not on screen. */
  readonly withPicture: boolean;
  readonly mixer: Mixer;
  /** Where to begin, s, in what is not live. */
  readonly fromS: number;
  /** Called once at most, when this playback will never play again. */
  readonly onLost: (error: SourceError) => void;
};

/** One try at a source: it plays until it is closed or lost, and is never used again. */
export type Playback = {
  /** To be seen, where it was opened with its picture. Its sound is in the mixer's hands. */
  readonly element: HTMLMediaElement;
  /** Whether it is heard; at first it is not. */
  setHeard(isHeard: boolean): void;
  /** When sound (or the media as a whole) last moved on, by performance.now(); −Infinity before. */
  lastSoundMs(): number;
  /** How loud it is now, 0 to 1, where that is known without cost. */
  level(): number;
  /** Distance of what is shown from the live edge, ms, where the kind has one. */
  latencyMs(): number | null;
  readonly losses: () => { readonly packetsLost: number; readonly concealedMs: number };
  /** What it lacks for good though it plays: a picture in a codec that the browser has not. */
  flaw(): SourceError | undefined;
  /** What to say when nothing has come for too long. */
  silence(): SourceError;
  close(): void;
};

/** Opens one kind of source. Everything a kind must know is behind this. */
export type OpenPlayback<K extends StreamSource['kind']> = (
  source: Extract<StreamSource, { kind: K }>,
  options: PlaybackOptions,
) => Playback;

/** A kind that does not tell of packets. */
export const NO_LOSSES = { packetsLost: 0, concealedMs: 0 } as const;

/** An element of its own for each try, so that nothing is carried over from one to the next. */
export function makeElement(withPicture: boolean): HTMLMediaElement {
  const element = document.createElement(withPicture ? 'video' : 'audio');
  if (element instanceof HTMLVideoElement) {
    element.className = 'tile-video';
    element.playsInline = true;
  }
  return element;
}

/** What Chrome has with `AudioVideoTracks` (recorder/browser.ts); TypeScript's DOM library leaves it out. */
type WithTracks = {
  readonly videoTracks?: EventTarget & ArrayLike<{ selected: boolean }>;
};

/**
 * An element for a kind whose picture comes with its sound. Chrome would decode that for any element, seen or not: its tracks are
 * deselected as they come, and their packets thrown away.
 */
export function makeElementFor(withPicture: boolean): HTMLMediaElement {
  const element = makeElement(true);
  if (withPicture) return element;
  const { videoTracks } = element as WithTracks;
  videoTracks?.addEventListener('addtrack', () => {
    for (const track of Array.from(videoTracks)) track.selected = false;
  });
  return element;
}

/** Plays; where the browser wants a gesture for sound (a person opened the page), muted. */
export function startElement(element: HTMLMediaElement): void {
  element.play().catch((error: unknown) => {
    if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return;
    element.muted = true;
    element.play().catch(() => undefined); // that nothing moves is seen
  });
}

/** An error thrown on purpose, with its name. */
export class LostSource extends Error {
  readonly lost: SourceError;

  constructor(code: SourceErrorCode, detail: string, retryAfterMs?: number) {
    super(detail);
    this.lost = { code, detail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
}

/** What was thrown, as an error of a source. */
export function asSourceError(error: unknown, code: SourceErrorCode): SourceError {
  if (error instanceof LostSource) return error.lost;
  return { code, detail: error instanceof Error ? error.message : String(error) };
}

/** Names an HTTP status that is no success; `retryAfter` is the header of that name. */
function statusError(status: number, retryAfter: string | null): LostSource {
  const detail = `the server answered ${status}`;
  if (status === 401 || status === 403) return new LostSource('unauthorized', detail);
  if (status === 404 || status === 410) return new LostSource('not-found', detail);
  if (status === 406 || status === 415 || status === 422)
    return new LostSource('codec-unsupported', detail);
  return new LostSource('server-error', detail, parseRetryAfter(retryAfter, Date.now()));
}

/** Fetches, and names what goes wrong: throws LostSource. `isWelcome` takes a status that is no success as one. */
export async function fetchSource(
  url: string,
  init: RequestInit & {
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    readonly isWelcome?: (status: number, type: string) => boolean;
  },
): Promise<Response> {
  const { timeoutMs, signal, isWelcome, ...rest } = init;
  let response: Response;
  try {
    response = await fetch(url, {
      ...rest,
      cache: 'no-store',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === 'TimeoutError';
    const why = isLate ? `no answer within ${timeoutMs} ms` : 'no connection, or not for this page';
    throw new LostSource('unreachable', why);
  }
  const { ok, status, headers } = response;
  if (ok || isWelcome?.(status, headers.get('content-type') ?? '') === true) return response;
  throw statusError(status, headers.get('retry-after'));
}
