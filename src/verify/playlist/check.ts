import type { Complain } from '../findings.ts';
import { mostCommon } from '../ticks.ts';
import type { Entry, Playlist } from './parse.ts';

/** Length of a segment, and what `t0` is a multiple of. */
const SEGMENT_MS = 1600;
const TARGET_DURATION_S = 2;
/** The skip boundary, in target durations. */
const LEAST_TARGET_DURATIONS_KEPT = 6;
const VERSION_DECIMAL_DURATIONS = 3;
const VERSION_BYTE_RANGES = 4;
const VERSION_GAP = 8;
const VERSION_SKIP = 9;

/** Checks all a playlist says by itself; `aboutEntry` gives the complaint its segment. */
export function checkPlaylist(
  playlist: Playlist,
  complain: Complain,
  aboutEntry: (entry: Entry) => Complain,
): void {
  for (const { rule, message } of playlist.problems) complain(rule, null, message);
  checkHead(playlist, complain);
  checkVersion(playlist, complain);
  checkEnd(playlist, complain);
  checkSkip(playlist, complain);
  checkTimes(playlist.entries, aboutEntry);
  const seen = new Set<string>();
  for (const entry of playlist.entries) {
    const [whole, fraction = ''] = entry.duration.split('.');
    if (whole !== '1' || !/^60*$/.test(fraction)) {
      aboutEntry(entry)('extinf', null, `line ${entry.line}: ${entry.duration}, expected 1.6`);
    }
    const place = `${entry.uri} ${entry.range?.offset ?? ''}`;
    if (!entry.isGap && seen.has(place)) {
      aboutEntry(entry)('entry-order', null, `line ${entry.line}: ${place.trim()} comes twice`);
    }
    seen.add(place);
  }
}

function checkHead(playlist: Playlist, complain: Complain): void {
  if (playlist.targetDuration !== TARGET_DURATION_S) {
    complain('target-duration', null, `it is ${playlist.targetDuration ?? 'absent'}, expected 2`);
  }
  if (playlist.mediaSequence === undefined) {
    complain('media-sequence', null, 'EXT-X-MEDIA-SEQUENCE is absent');
  }
  const { discontinuitySequence } = playlist;
  if (playlist.mediaSequence === 0 && (discontinuitySequence ?? 0) !== 0) {
    const message = `EXT-X-DISCONTINUITY-SEQUENCE is ${discontinuitySequence}, but none is gone yet`;
    complain('discontinuity', null, message);
  }
  if (playlist.type !== undefined && !['VOD', 'EVENT'].includes(playlist.type)) {
    complain('playlist-syntax', null, `EXT-X-PLAYLIST-TYPE is ${playlist.type}`);
  }
  const durationS = (playlist.entries.length + playlist.skipped) * (SEGMENT_MS / 1000);
  if (playlist.start && Math.abs(playlist.start.offset) > durationS) {
    complain('playlist-start', null, `TIME-OFFSET ${playlist.start.offset} s of ${durationS} s`);
  }
}

function checkVersion(playlist: Playlist, complain: Complain): void {
  let needed = VERSION_DECIMAL_DURATIONS;
  if (playlist.entries.some((entry) => entry.range)) needed = VERSION_BYTE_RANGES;
  if (playlist.entries.some((entry) => entry.isGap)) needed = VERSION_GAP;
  if (playlist.skipped > 0) needed = VERSION_SKIP;
  const { version } = playlist;
  if (version === undefined || version < needed || version > 13) {
    complain('playlist-version', null, `EXT-X-VERSION is ${version ?? 'absent'}, needed ${needed}`);
  }
}

function checkEnd(playlist: Playlist, complain: Complain): void {
  if (playlist.type === 'VOD' && !playlist.hasEndlist) {
    complain('playlist-end', null, 'a VOD playlist has no EXT-X-ENDLIST');
  }
}

/** Checks the skip boundary, and that a delta update keeps what is inside it (RFC 8216bis §4.4.3.8, §4.4.5.2). */
export function checkSkip(playlist: Playlist, complain: Complain): void {
  const { canSkipUntil, skipped, entries } = playlist;
  const least = LEAST_TARGET_DURATIONS_KEPT * TARGET_DURATION_S;
  if (canSkipUntil !== undefined && canSkipUntil < least) {
    complain('playlist-skip', null, `CAN-SKIP-UNTIL is ${canSkipUntil} s, at least ${least}`);
  }
  if (skipped === 0) return;
  if (canSkipUntil === undefined) {
    complain('playlist-skip', null, 'EXT-X-SKIP, but EXT-X-SERVER-CONTROL has no CAN-SKIP-UNTIL');
    return;
  }
  // In ms, where both are whole numbers.
  if (entries.length * SEGMENT_MS < Math.round(canSkipUntil * 1000)) {
    const message = `${entries.length} entries are left, the boundary is ${canSkipUntil} s`;
    complain('playlist-skip', null, message);
  }
}

/** Checks EXT-X-PROGRAM-DATE-TIME against the `t0` that most entries agree on. */
function checkTimes(entries: readonly Entry[], aboutEntry: (entry: Entry) => Complain): void {
  const times = entries.map((entry) => parseTime(entry.programDateTime));
  const origins = entries.flatMap((entry, at) => {
    const time = times[at];
    return time === undefined ? [] : [time - SEGMENT_MS * entry.n];
  });
  const t0 = mostCommon(origins);
  for (const [at, entry] of entries.entries()) {
    const complain = aboutEntry(entry);
    const time = times[at];
    const tag = entry.programDateTime ?? 'absent';
    if (time === undefined || t0 === undefined) {
      if (!entry.isGap || entry.programDateTime !== undefined) {
        complain('program-date-time', null, `line ${entry.line}: it is ${tag}`);
      }
    } else if (time !== t0 + SEGMENT_MS * entry.n) {
      const due = new Date(t0 + SEGMENT_MS * entry.n).toISOString();
      complain('program-date-time', null, `line ${entry.line}: it is ${tag}, expected ${due}`);
    } else if (t0 % SEGMENT_MS !== 0) {
      complain('program-date-time', null, `t0 is ${t0} ms, not a multiple of 1600`);
    }
  }
}

/** Unix ms of an ISO 8601 time with a zone; undefined when it is none, or not in whole ms. */
function parseTime(text: string | undefined): number | undefined {
  const match = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3}0*)?(Z|[+-]\d\d:?\d\d)$/.exec(text ?? '');
  const time = match ? Date.parse(match[0]) : Number.NaN;
  return Number.isInteger(time) ? time : undefined;
}
