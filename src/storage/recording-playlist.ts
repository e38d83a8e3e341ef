import { SEGMENT_MS, segmentStartMs } from '../model/grid.ts';
import type { Recording } from '../model/recording.ts';
import type { SegmentEntry } from '../model/segment.ts';
import type { PlaylistOptions, PlaylistSegment } from '../media/playlist.ts';

/** Where a playlist stands: its last entry of media, and the last number that has a line. */
export type PlaylistPlace = { readonly n: number; readonly codecHash: string };

export type PlanSegmentsOptions = {
  /** The recording's origin, Unix ms. */
  readonly originMs: number;
  /** Where the segments' URIs begin; relative, so that they inherit the playlist's signed prefix. */
  readonly folder: string;
  /** What has lines already; without it the first entry is the playlist's first. */
  readonly after?: PlaylistPlace | undefined;
  /** Numbers given up up to here get their gaps, also behind the last entry. */
  readonly settledTo?: number | undefined;
};

/**
 * The final playlist of a recording: all the media there is, also what came late; a gap for each number without. Undefined when
 * nothing was recorded.
 */
export function planFinalPlaylist(
  entries: readonly SegmentEntry[],
  recording: Pick<Recording, 'originMs'>,
): PlaylistOptions | undefined {
  const [first] = entries;
  if (first === undefined || recording.originMs === null) return undefined;
  return {
    type: 'VOD',
    mediaSequence: first.n,
    ended: true,
    segments: planSegments(entries, { originMs: recording.originMs, folder: 'segments/' }).lines,
  };
}

/**
 * Lines for entries in order of number, and a gap for each number left out. What has lines never changes: later entries only add
 * some, to be planned from `end` on.
 */
export function planSegments(
  entries: readonly SegmentEntry[],
  { originMs, folder, after, settledTo = -1 }: PlanSegmentsOptions,
): { readonly lines: PlaylistSegment[]; readonly end: PlaylistPlace | undefined } {
  const lines: PlaylistSegment[] = [];
  const add = (n: number, name: string, marks: Partial<PlaylistSegment> = {}): void => {
    const startMs = segmentStartMs(n, originMs);
    lines.push({ uri: folder + name, startMs, durationMs: SEGMENT_MS, ...marks });
  };
  let end = after;
  const addGapsTo = (n: number): void => {
    for (let gap = (end?.n ?? n) + 1; gap <= n; gap++)
      add(gap, `${padded(gap)}-gap.ts`, { gap: true });
    if (end !== undefined && end.n < n) end = { ...end, n };
  };
  for (const entry of entries) {
    addGapsTo(entry.n - 1);
    const isChanged = end !== undefined && end.codecHash !== entry.codecHash;
    add(entry.n, segmentName(entry), isChanged ? { discontinuity: true } : {});
    end = { n: entry.n, codecHash: entry.codecHash };
  }
  addGapsTo(settledTo);
  return { lines, end };
}

/** A segment's name in URIs: its number, lane and epoch, whichever object holds its bytes. */
export function segmentName(entry: Pick<SegmentEntry, 'n' | 'lane' | 'epoch'>): string {
  return `${padded(entry.n)}-${entry.lane}-${entry.epoch}.ts`;
}

/** Reads what `segmentName` wrote; undefined for anything else. */
export function parseSegmentName(
  name: string,
): { readonly n: number; readonly lane: number; readonly epoch: number } | undefined {
  const match = /^(\d{6,9})-(\d{1,2})-(\d{1,15})\.ts$/.exec(name);
  if (match === null) return undefined;
  return { n: Number(match[1]), lane: Number(match[2]), epoch: Number(match[3]) };
}

function padded(n: number): string {
  return String(n).padStart(6, '0');
}
