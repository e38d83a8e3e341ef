import { SEGMENT_MS, segmentAt, segmentStartMs } from '../model/grid.ts';
import type { ClipWindow } from '../model/highlight.ts';
import { isFinal, type Recording } from '../model/recording.ts';
import type { SegmentEntry } from '../model/segment.ts';
import type { PlaylistOptions } from '../media/playlist.ts';
import { planSegments } from '../storage/recording-playlist.ts';

/** How a clip stands over its recording's own segments. */
export type ClipPlan = {
  /** Undefined while no segment of it is there. */
  readonly playlist: PlaylistOptions | undefined;
  /** Nothing of it can come any more. */
  readonly isOver: boolean;
  /** What can be played of the window, holes included: from the first segment there is to the last. Null while there is none. */
  readonly bounds: ClipWindow | null;
  /** What is missing inside the window and will not come: players go on behind it. In order, Unix ms. */
  readonly holes: readonly ClipWindow[];
  /** The segments it is made of. */
  readonly entries: readonly SegmentEntry[];
};

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
 * the window is open and ends with it. Numbers up to `settledTo` are decided: what is not there is a hole.
 */
export function planClipPlaylist(
  entries: readonly SegmentEntry[],
  recording: Pick<Recording, 'id' | 'originMs' | 'state'>,
  window: ClipWindow,
  settledTo = -1,
): ClipPlan {
  const { originMs } = recording;
  const nothing = { playlist: undefined, bounds: null, holes: [], entries: [] };
  if (originMs === null) return { ...nothing, isOver: isFinal(recording.state) };
  const { first, last } = windowSegments(window, originMs);
  const decided = Math.max(settledTo, entries.at(-1)?.n ?? -1);
  const isOver = isFinal(recording.state) || decided >= last;
  const inside = entries.filter(({ n }) => n >= first && n <= last);
  const to = Math.min(decided, last);
  const holes = findHoles(inside, { first, last: to }).map((hole) => cut(hole, window, originMs));
  const [head, tail] = [inside[0], inside.at(-1)];
  if (head === undefined || tail === undefined) return { ...nothing, isOver, holes };
  const startOffsetMs = Math.max(0, window.startMs - segmentStartMs(head.n, originMs));
  const folder = `../../recordings/${recording.id}/segments/`;
  const { lines: segments } = planSegments(inside, { originMs, folder, settledTo: to });
  return {
    playlist: { type: 'EVENT', mediaSequence: head.n, ended: isOver, startOffsetMs, segments },
    isOver,
    bounds: cut({ first: head.n, last: tail.n }, window, originMs),
    holes,
    entries: inside,
  };
}

type Run = { readonly first: number; readonly last: number };

/** Runs of numbers without an entry. */
function findHoles(inside: readonly SegmentEntry[], { first, last }: Run): Run[] {
  const holes: Run[] = [];
  let next = first;
  for (const { n } of inside) {
    if (n > next) holes.push({ first: next, last: n - 1 });
    next = n + 1;
  }
  if (next <= last) holes.push({ first: next, last });
  return holes;
}

/** The part of a run of segments that lies in the window. */
function cut({ first, last }: Run, window: ClipWindow, originMs: number): ClipWindow {
  return {
    startMs: Math.max(window.startMs, segmentStartMs(first, originMs)),
    endMs: Math.min(window.endMs, segmentStartMs(last, originMs) + SEGMENT_MS),
  };
}
