import type { Playback } from './playback.ts';

/** A picture that has stood this long is frozen: longer than any hiccup of a jitter buffer, short enough to be honest. */
export const FREEZE_MS = 500;
/** Sound that comes this long without a picture means that there is none. */
export const NO_CAMERA_MS = 1500;

/** A playback that is open, and what was last seen of it; times by performance.now(). */
export type Running = {
  readonly playback: Playback;
  readonly withPicture: boolean;
  readonly openedMs: number;
  frames: number;
  lastPictureMs: number;
  firstMediaMs: number | undefined;
};

/** Whether picture or sound goes on. */
export function isMoving(running: Running, nowMs: number): boolean {
  const { playback, lastPictureMs, withPicture } = running;
  if (nowMs - lastPictureMs <= FREEZE_MS) return true;
  // with a picture to come, sound alone does not make it whole before its time
  return (
    nowMs - playback.lastSoundMs() <= FREEZE_MS &&
    (!withPicture || nowMs - running.openedMs > NO_CAMERA_MS)
  );
}

/** Pictures that an element has decoded so far. */
export function countFrames(element: HTMLMediaElement): number {
  return element instanceof HTMLVideoElement && element.videoWidth > 0
    ? element.getVideoPlaybackQuality().totalVideoFrames
    : 0;
}
