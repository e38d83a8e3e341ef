import { createPlayer, type Player } from './player.ts';

/** What there is of a clip, absolute URLs. */
export type ClipSources = {
  readonly playlist: string | null;
  readonly mp4: string | null;
  readonly poster: string | null;
};

/** Plays a clip in a video element: by its playlist at once, by its MP4 as soon as that disturbs nobody. */
export type ClipPlayer = {
  /** May be called again when more is there. */
  show(sources: ClipSources): void;
  close(): void;
};

/** `onNotice` says what keeps the picture from playing, for people; empty when nothing does. */
export function createClipPlayer(
  video: HTMLVideoElement,
  options: { readonly autoplay: boolean; readonly onNotice: (text: string) => void },
): ClipPlayer {
  const { autoplay, onNotice } = options;
  let hls: Player | undefined;
  let shown: 'nothing' | 'playlist' | 'mp4' = 'nothing';
  /** Someone is watching: the source under the picture stays. */
  let isWatched = false;
  let hasBegun = false;
  /** Where the file could not be read any further, seconds. */
  let brokenAtS = 0;
  let latest: ClipSources | undefined;
  const showMp4 = (url: string): void => {
    hls?.close();
    hls = undefined;
    shown = 'mp4';
    onNotice('');
    video.src = url;
    if (brokenAtS > 0) video.currentTime = brokenAtS;
    brokenAtS = 0;
    if (autoplay && !hasBegun) video.play().catch(() => undefined);
  };
  const update = (): void => {
    if (latest === undefined) return;
    const { playlist, mp4, poster } = latest;
    if (poster !== null && video.poster !== poster) video.poster = poster;
    if (mp4 !== null && shown !== 'mp4' && !isWatched) showMp4(mp4);
    else if (playlist !== null && shown === 'nothing') {
      shown = 'playlist';
      hls = createPlayer(video, { onNotice });
      hls.load(playlist, { from: 'told', autoplay });
    }
  };
  const onPlay = (): void => {
    isWatched = true;
    hasBegun = true;
  };
  const onEnded = (): void => {
    isWatched = false;
    // It can be played again from the MP4, without the playlist's surplus at both ends.
    update();
  };
  const onError = (): void => {
    if (shown !== 'mp4') return;
    onNotice('The clip cannot be loaded. Check the connection and try again.');
    // What is shown next, goes on from here.
    brokenAtS = video.currentTime;
    shown = 'nothing';
    isWatched = false;
  };
  video.addEventListener('play', onPlay);
  video.addEventListener('ended', onEnded);
  video.addEventListener('error', onError);
  return {
    show(sources) {
      latest = sources;
      update();
    },
    close() {
      video.removeEventListener('play', onPlay);
      video.removeEventListener('ended', onEnded);
      video.removeEventListener('error', onError);
      hls?.close();
      video.pause();
      video.removeAttribute('src');
      video.load();
    },
  };
}
