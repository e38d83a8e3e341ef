import { segmentAt, segmentStartMs } from '../model/grid.ts';
import type { ClipWindow } from '../model/highlight.ts';
import { isFinal, type Recording } from '../model/recording.ts';
import type { SegmentEntry } from '../model/segment.ts';
import type { PlaylistOptions } from '../media/playlist.ts';
import { planSegments } from '../storage/recording-playlist.ts';

/** First and last segment that a window touches, both inclusive. */
export function windowSegments(
  window: ClipWindow,
  originMs: number,
): { readonly first: number; readonly last: number } {
  return {
    first: Math.max(0, segmentAt(window.startMs, originMs)),
    last: segmentAt(window.endMs - 1, originMs),
  };
}

/**
 * The playlist of a clip over the recording's own segments: no media is copied. It starts exactly at the window, grows while
 * the window is open and ends with it. Undefined while no segment of it is there; then `isOver` says if one
 * can still come. Numbers up to `settledTo` are decided: what is not there is a hole.
 */
export function planClipPlaylist(
  entries: readonly SegmentEntry[],
  recording: Pick<Recording, 'id' | 'originMs' | 'state'>,
  window: ClipWindow,
  settledTo = -1,
): { readonly playlist: PlaylistOptions | undefined; readonly isOver: boolean } {
  const { originMs } = recording;
  if (originMs === null) return { playlist: undefined, isOver: isFinal(recording.state) };
  const { first, last } = windowSegments(window, originMs);
  const decided = Math.max(settledTo, entries.at(-1)?.n ?? -1);
  const isOver = isFinal(recording.state) || decided >= last;
  const inside = entries.filter(({ n }) => n >= first && n <= last);
  const [head] = inside;
  if (head === undefined) return { playlist: undefined, isOver };
  const startOffsetMs = Math.max(0, window.startMs - segmentStartMs(head.n, originMs));
  const folder = `../../recordings/${recording.id}/segments/`;
  const { lines: segments } = planSegments(inside, {
    originMs,
    folder,
    settledTo: Math.min(decided, last),
  });
  return {
    playlist: { type: 'EVENT', mediaSequence: head.n, ended: isOver, startOffsetMs, segments },
    isOver,
  };
}
