import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SEGMENT_MS } from '../../../src/model/grid.ts';
import type { Browser } from '../browser.ts';
import { waitUntil } from '../wait-until.ts';
import type { Subject } from './stretch.ts';

/** What hls.js and the video element went through; times in seconds. */
export type Playback = {
  readonly errors: readonly {
    readonly details: string;
    readonly fatal: boolean;
    readonly reason: string;
    /** Where the element stood. */
    readonly atS: number;
  }[];
  /** Steps of the position that were not forward. */
  readonly backward: readonly string[];
  readonly startS: number | null;
  readonly positionS: number;
  readonly durationS: number;
  readonly isEnded: boolean;
  readonly mediaError: string | null;
  readonly pictures: number;
};

export type PlayOptions = {
  /** URL of the playlist, on a server that also has `/hls.js` and `/player.html`. */
  readonly playlist: string;
  readonly rate?: number;
  readonly timeoutMs: number;
};

/** Played four times as fast: a machine with 2 cores still decodes 720p30 in time. */
const FAST = 4;
/** For the browser to start and for a machine busy with other tests; what is played comes on top. */
const START_MS = 20_000;
/** The last AAC frame may be played up to its end only nearly: one of them, 21 ms, and rounding. */
const END_TOLERANCE_S = 0.05;
/** What hls.js says of an EXT-X-GAP when it meets it, and when it runs up to it and then jumps over it. */
const GAP_ERROR = 'fragGap';
const JUMP_ERRORS: readonly string[] = ['bufferStalledError', 'bufferSeekOverHole'];
/** It says so up to 250 ms of playing before the hole, here at four times the speed. */
const AHEAD_OF_HOLE_S = 1;
/** It jumps to 100 ms behind the hole (maxBufferHole), rounded. */
const BEHIND_HOLE_S = 0.11;

/** Holes by their place in the playlist, and how long all of it lasts. */
export type Expected = { readonly holes: readonly number[]; readonly durationS: number };

/** A page that plays `?playlist=` with hls.js as it comes, at `&rate=`, and keeps what happened in `window.playback`. */
export const PLAYER_PAGE = `<!doctype html>
<video muted playsinline width="640"></video>
<script src="/hls.js"></script>
<script>
  const query = new URLSearchParams(location.search);
  const video = document.querySelector('video');
  const playback = { errors: [], backward: [], startS: null };
  let last = -1;
  const sample = () => {
    const now = video.currentTime;
    if (now < last) playback.backward.push(last + ' to ' + now);
    if (playback.startS === null && now > 0) playback.startS = now;
    last = Math.max(last, now);
  };
  for (const name of ['timeupdate', 'seeking', 'seeked', 'playing', 'waiting', 'ended']) {
    video.addEventListener(name, sample);
  }
  window.playback = () => ({
    ...playback,
    positionS: video.currentTime,
    durationS: video.duration,
    isEnded: video.ended,
    mediaError: video.error && video.error.message,
    pictures: video.getVideoPlaybackQuality().totalVideoFrames,
  });
  const hls = new Hls();
  hls.on(Hls.Events.ERROR, (_, { details, fatal, reason, error, response, frag }) => {
    playback.errors.push({
      details,
      fatal,
      reason: reason || (error && error.message) || (frag && frag.relurl) || '',
      atS: video.currentTime,
    });
  });
  hls.on(Hls.Events.MANIFEST_PARSED, () => {
    video.playbackRate = Number(query.get('rate') || 1);
    video.play();
  });
  hls.loadSource(query.get('playlist'));
  hls.attachMedia(video);
</script>`;

/** Plays a playlist in a page of its own until it ends or the time is up; says what happened. */
export async function playHls(browser: Browser, options: PlayOptions): Promise<Playback> {
  const page = await browser.newPage();
  try {
    const { playlist, rate = 1, timeoutMs } = options;
    const query = new URLSearchParams({ playlist, rate: `${rate}` });
    await page.goto(new URL(`/player.html?${query.toString()}`, playlist).href);
    const look = async (): Promise<Playback> =>
      (await page.evaluate('window.playback()')) as Playback;
    await waitUntil('the end of the playlist', async () => (await look()).isEnded, timeoutMs)
      // What was seen until then says more.
      .catch(() => undefined);
    return await look();
  } finally {
    await page.close();
  }
}

/** What is wrong with a playback: any error but those that belong to a hole, at that hole. */
export function judgePlayback(played: Playback, { holes, durationS }: Expected): string[] {
  const isAtHole = (atS: number): boolean =>
    holes.some((place) => {
      const startS = (place * SEGMENT_MS) / 1000;
      return atS > startS - AHEAD_OF_HOLE_S && atS < startS + SEGMENT_MS / 1000 + BEHIND_HOLE_S;
    });
  const isAllowed = (details: string, atS: number): boolean =>
    (details === GAP_ERROR && holes.length > 0) || (JUMP_ERRORS.includes(details) && isAtHole(atS));
  const isAtEnd = played.positionS >= durationS - END_TOLERANCE_S;
  const hasDuration = Math.abs(played.durationS - durationS) <= END_TOLERANCE_S;
  return [
    ...played.errors
      .filter(({ details, fatal, atS }) => fatal || !isAllowed(details, atS))
      .map(({ details, fatal, reason, atS }) => {
        return `${fatal ? 'fatal ' : ''}${details} at ${atS} s: ${reason}`;
      }),
    ...played.backward.map((step) => `the position goes back: ${step}`),
    ...(played.mediaError === null ? [] : [`the element fails: ${played.mediaError}`]),
    ...(played.isEnded && isAtEnd ? [] : [`stops at ${played.positionS} s of ${durationS} s`]),
    ...(hasDuration ? [] : [`lasts ${played.durationS} s, expected ${durationS} s`]),
  ];
}

/** hls.js' complaints: it plays the playlist from its start to its end in Chromium, four times as fast. */
export async function runHlsjs(
  { url, segments, holes }: Subject,
  browser: Browser,
): Promise<string[]> {
  const durationS = (segments * SEGMENT_MS) / 1000;
  const timeoutMs = START_MS + (2 * durationS * 1000) / FAST;
  const played = await playHls(browser, { playlist: url, rate: FAST, timeoutMs });
  return judgePlayback(played, { holes, durationS });
}

/** The versions of hls.js and the browser it runs in. */
export async function hlsjsVersion(browser: Browser): Promise<string> {
  const main = fileURLToPath(import.meta.resolve('hls.js'));
  const text = await readFile(path.join(path.dirname(main), '../package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return `${version} in ${await browser.version()}`;
}
