import type { Complain } from '../findings.ts';
import { reasonOf, type ReadAgain } from '../source.ts';
import { checkSkip } from './check.ts';
import { parsePlaylist, type Entry, type Playlist } from './parse.ts';

/** Asks a server again for the playlist it has served, whole and as a delta update, and checks what is said now against it. */
export async function checkServed(
  before: Playlist,
  readAgain: ReadAgain,
  complain: Complain,
): Promise<void> {
  const read = async (query?: Readonly<Record<string, string>>): Promise<Playlist | undefined> => {
    try {
      return parsePlaylist(Buffer.from(await readAgain(query)).toString());
    } catch (error) {
      complain('playlist-append', null, `asked again: ${reasonOf(error)}`);
      return undefined;
    }
  };
  const now = await read();
  if (now) checkAppended(before, now, complain);
  if (now?.canSkipUntil === undefined || now.skipped > 0) return;
  const delta = await read({ _HLS_skip: 'YES' });
  if (delta) checkDelta(now, delta, complain);
}

/** A playlist only grows at its end, and a window only loses at its start (RFC 8216bis §6.2.1, §6.2.2). */
export function checkAppended(before: Playlist, now: Playlist, complain: Complain): void {
  const say = (message: string): void => {
    complain('playlist-append', null, message);
  };
  const firstOf = ({ mediaSequence = 0 }: Playlist): number => mediaSequence;
  const isWindow = before.type === undefined;
  if (firstOf(now) < firstOf(before) || (!isWindow && firstOf(now) > firstOf(before))) {
    say(`EXT-X-MEDIA-SEQUENCE goes from ${firstOf(before)} to ${firstOf(now)}`);
  }
  if (endOf(now) < endOf(before)) {
    say(`it ended with entry ${endOf(before) - 1}, now with ${endOf(now) - 1}`);
  }
  if (before.hasEndlist && !now.hasEndlist) say('EXT-X-ENDLIST is gone');
  if (before.hasEndlist && endOf(now) > endOf(before)) say('entries follow after EXT-X-ENDLIST');
  for (const name of ['version', 'targetDuration', 'type'] as const) {
    const isEnd = name === 'type' && now.hasEndlist;
    if (before[name] !== now[name] && !isEnd) {
      say(`${name} goes from ${before[name]} to ${now[name]}`);
    }
  }
  forEachPair(before, now, (was, is) => {
    say(`entry ${was.n} was "${textOf(was)}", now "${textOf(is)}"`);
  });
}

/** A delta update is its playlist without the entries it skips; it may be newer than `whole` (RFC 8216bis §6.2.5.1). */
export function checkDelta(whole: Playlist, delta: Playlist, complain: Complain): void {
  const say = (message: string): void => {
    complain('playlist-skip', null, message);
  };
  for (const { rule, message } of delta.problems) complain(rule, null, `delta update: ${message}`);
  for (const name of ['version', 'targetDuration', 'type', 'canSkipUntil'] as const) {
    if (whole[name] !== delta[name]) {
      say(`${name} is ${delta[name]}, in the whole playlist ${whole[name]}`);
    }
  }
  if (endOf(delta) < endOf(whole)) {
    say(`it ends with entry ${endOf(delta) - 1}, the whole playlist with ${endOf(whole) - 1}`);
  }
  checkSkip(delta, complain);
  forEachPair(whole, delta, (is, skips) => {
    say(`entry ${is.n} is "${textOf(skips)}", in the whole playlist "${textOf(is)}"`);
  });
}

/** One more than the last entry's number. */
function endOf({ mediaSequence = 0, skipped, entries }: Playlist): number {
  return mediaSequence + skipped + entries.length;
}

function forEachPair(
  one: Playlist,
  other: Playlist,
  onDifferent: (one: Entry, other: Entry) => void,
): void {
  const others = new Map(other.entries.map((entry) => [entry.n, entry]));
  for (const entry of one.entries) {
    const counterpart = others.get(entry.n);
    if (counterpart && textOf(counterpart) !== textOf(entry)) onDifferent(entry, counterpart);
  }
}

/** All that an entry says, in one line. */
function textOf(entry: Entry): string {
  const { uri, duration, isGap, isDiscontinuous, programDateTime, range } = entry;
  const place = range ? [`${range.length}@${range.offset}`] : [];
  const flags = [...(isGap ? ['GAP'] : []), ...(isDiscontinuous ? ['DISCONTINUITY'] : [])];
  return [programDateTime ?? 'no date', duration, uri, ...place, ...flags].join(' ');
}
