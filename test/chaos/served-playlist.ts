import { SEGMENT_MS } from '../../src/model/grid.ts';

/** One entry of a recording's playlist, as a stranger reads it. */
export type Entry = {
  readonly n: number;
  readonly uri: string;
  /** Nothing is at the URI. */
  readonly isGap: boolean;
  /** Lane and epoch of who made it, `0-3`; empty for a gap. */
  readonly maker: string;
};

export type ReadPlaylist = {
  readonly entries: readonly Entry[];
  readonly isEnded: boolean;
  /** Start of segment 0 by the first entry's date, Unix ms; NaN without entries. */
  readonly originMs: number;
};

const END = '#EXT-X-ENDLIST';

/** Reads the text of a playlist whose URIs are named by number, lane and epoch. */
export function readPlaylist(text: string): ReadPlaylist {
  const entries: Entry[] = [];
  let n = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)$/m.exec(text)?.[1] ?? NaN);
  const firstMs = Date.parse(/^#EXT-X-PROGRAM-DATE-TIME:(.+)$/m.exec(text)?.[1] ?? '');
  const originMs = firstMs - n * SEGMENT_MS;
  let isGap = false;
  for (const line of text.split('\n')) {
    if (line === '#EXT-X-GAP') isGap = true;
    if (line === '' || line.startsWith('#')) continue;
    entries.push({ n, uri: line, isGap, maker: isGap ? '' : makerOf(line) });
    n += 1;
    isGap = false;
  }
  return { entries, isEnded: text.includes(END), originMs };
}

/** Whether a playlist only grew from one text to a later one. */
export function isGrown(before: string, after: string): boolean {
  return after.startsWith(before.replace(`${END}\n`, ''));
}

/** Entries of two makers that follow each other without a gap between: the first of the second one. */
export function findJoins(entries: readonly Entry[]): readonly Entry[] {
  return entries.filter((entry, i) => {
    const before = entries[i - 1];
    return before !== undefined && !before.isGap && !entry.isGap && before.maker !== entry.maker;
  });
}

/** Entries by which an owner that had been followed in its lane came back: there may be none. */
export function findReturns(entries: readonly Entry[]): readonly Entry[] {
  const highest = new Map<string, number>();
  return entries.filter(({ isGap, maker }) => {
    if (isGap) return false;
    const [lane = '', epoch = ''] = maker.split('-');
    const before = highest.get(lane) ?? -1;
    highest.set(lane, Math.max(before, Number(epoch)));
    return Number(epoch) < before;
  });
}

function makerOf(uri: string): string {
  const match = /(\d+)-(\d+)-(\d+)\.ts$/.exec(uri);
  if (match === null) throw new Error(`Expected a segment named by number, lane, epoch: ${uri}`);
  return `${String(match[2])}-${String(match[3])}`;
}
