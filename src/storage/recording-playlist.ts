import { SEGMENT_MS, segmentStartMs } from '../model/grid.ts';
import { isFinal, type Recording } from '../model/recording.ts';
import type { SegmentEntry } from '../model/segment.ts';
import type { PlaylistOptions, PlaylistSegment } from '../media/playlist.ts';

/**
 * The playlist of a recording as it stands: a line for each entry, and a gap for each number left out between two of
 * them. Undefined before the first segment. What is in it never changes: later entries only add lines.
 */
export function planEventPlaylist(
  entries: readonly SegmentEntry[],
  recording: Pick<Recording, 'originMs' | 'state'>,
): PlaylistOptions | undefined {
  const [first] = entries;
  if (first === undefined || recording.originMs === null) return undefined;
  return {
    type: 'EVENT',
    mediaSequence: first.n,
    ended: isFinal(recording.state),
    segments: planSegments(entries, { originMs: recording.originMs, folder: 'segments/' }),
  };
}

/** Lines for entries in order of number; URIs are relative, so that they inherit the playlist's signed prefix. */
export function planSegments(
  entries: readonly SegmentEntry[],
  options: { readonly originMs: number; readonly folder: string },
): PlaylistSegment[] {
  const lines: PlaylistSegment[] = [];
  let previous: SegmentEntry | undefined;
  for (const entry of entries) {
    const line = (n: number, name: string): PlaylistSegment => ({
      uri: options.folder + name,
      startMs: segmentStartMs(n, options.originMs),
      durationMs: SEGMENT_MS,
    });
    for (let n = (previous?.n ?? entry.n) + 1; n < entry.n; n++) {
      lines.push({ ...line(n, `${padded(n)}-gap.ts`), gap: true });
    }
    const isChanged = previous !== undefined && previous.codecHash !== entry.codecHash;
    const base = line(entry.n, segmentName(entry));
    lines.push(isChanged ? { ...base, discontinuity: true } : base);
    previous = entry;
  }
  return lines;
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
