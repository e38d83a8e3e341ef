import type { RuleId } from '../rules.ts';

/** A run of bytes of an object. */
export type ByteRange = { readonly offset: number; readonly length: number };

/** One media segment of a playlist; texts are as written, so that the rules can judge them. */
export type Entry = {
  readonly n: number;
  readonly uri: string;
  readonly line: number;
  readonly duration: string;
  readonly isGap: boolean;
  readonly isDiscontinuous: boolean;
  readonly programDateTime: string | undefined;
  readonly range: ByteRange | undefined;
};

/** A media playlist (RFC 8216bis §4.4); undefined where a tag is absent. */
export type Playlist = {
  readonly version: number | undefined;
  readonly targetDuration: number | undefined;
  readonly mediaSequence: number | undefined;
  readonly discontinuitySequence: number | undefined;
  readonly type: string | undefined;
  readonly start: { readonly offset: number; readonly precise: boolean } | undefined;
  readonly hasEndlist: boolean;
  readonly isMultivariant: boolean;
  /** Entries that EXT-X-SKIP stands for: 0 in a whole playlist. */
  readonly skipped: number;
  /** CAN-SKIP-UNTIL, seconds. */
  readonly canSkipUntil: number | undefined;
  readonly entries: readonly Entry[];
  readonly problems: readonly { readonly rule: RuleId; readonly message: string }[];
};

const ONCE = [
  'EXTM3U', 'EXT-X-VERSION', 'EXT-X-TARGETDURATION', 'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE', 'EXT-X-PLAYLIST-TYPE', 'EXT-X-ENDLIST', 'EXT-X-START',
  'EXT-X-SKIP', 'EXT-X-SERVER-CONTROL', 'EXT-X-INDEPENDENT-SEGMENTS',
]; // prettier-ignore

/** Parses a media playlist; what is wrong with its form is listed in `problems`. */
export function parsePlaylist(text: string): Playlist {
  const problems: { rule: RuleId; message: string }[] = [];
  const bad = (message: string, rule: RuleId = 'playlist-syntax') => {
    problems.push({ rule, message });
  };
  const lines = text.split(/\r?\n/);
  if (lines[0] !== '#EXTM3U') bad('the first line is not #EXTM3U');
  const tags = readTags(lines);
  for (const name of ONCE) {
    if (tags.filter((tag) => tag.name === name).length > 1) bad(`${name} comes twice`);
  }
  const whole = (name: string): number | undefined => {
    const value = tags.find((tag) => tag.name === name)?.value;
    if (value !== undefined && !/^\d{1,15}$/.test(value)) bad(`${name} is ${value}`);
    return value === undefined || !/^\d{1,15}$/.test(value) ? undefined : Number(value);
  };
  const mediaSequence = whole('EXT-X-MEDIA-SEQUENCE');
  const skip = tags.find((tag) => tag.name === 'EXT-X-SKIP')?.value;
  const skipped = skip === undefined ? 0 : readSkip(skip, bad);
  const control = tags.find((tag) => tag.name === 'EXT-X-SERVER-CONTROL')?.value;
  const start = tags.find((tag) => tag.name === 'EXT-X-START')?.value;
  const endAt = tags.find((tag) => tag.name === 'EXT-X-ENDLIST')?.line;
  const entries = readEntries(tags, (mediaSequence ?? 0) + skipped, bad);
  if (endAt !== undefined && entries.some((entry) => entry.line > endAt)) {
    bad('entries come after EXT-X-ENDLIST', 'playlist-end');
  }
  return {
    version: whole('EXT-X-VERSION'),
    targetDuration: whole('EXT-X-TARGETDURATION'),
    mediaSequence,
    discontinuitySequence: whole('EXT-X-DISCONTINUITY-SEQUENCE'),
    type: tags.find((tag) => tag.name === 'EXT-X-PLAYLIST-TYPE')?.value,
    start: start === undefined ? undefined : readStart(start, bad),
    hasEndlist: endAt !== undefined,
    isMultivariant: tags.some((tag) => tag.name === 'EXT-X-STREAM-INF'),
    skipped,
    canSkipUntil: control === undefined ? undefined : readBoundary(control, bad),
    entries,
    problems,
  };
}

/** A line that means something; a URI has the name ''. */
type Tag = { readonly name: string; readonly value: string; readonly line: number };

function readTags(lines: readonly string[]): Tag[] {
  return lines.flatMap((text, index) => {
    const line = index + 1;
    if (text.trim() === '' || (text.startsWith('#') && !text.startsWith('#EXT'))) return [];
    if (!text.startsWith('#')) return [{ name: '', value: text.trim(), line }];
    const colon = text.indexOf(':');
    const name = text.slice(1, colon < 0 ? undefined : colon);
    return [{ name, value: colon < 0 ? '' : text.slice(colon + 1), line }];
  });
}

type Draft = { -readonly [Key in keyof Entry]?: Entry[Key] | undefined };

function readEntries(tags: readonly Tag[], first: number, bad: (message: string) => void): Entry[] {
  const entries: Entry[] = [];
  let draft: Draft = {};
  for (const { name, value, line } of tags) {
    if (name === 'EXTINF') {
      if (draft.duration !== undefined) bad(`line ${line}: two EXTINF for one segment`);
      draft.duration = value.split(',')[0] ?? '';
    } else if (name === 'EXT-X-GAP') draft.isGap = true;
    else if (name === 'EXT-X-DISCONTINUITY') draft.isDiscontinuous = true;
    else if (name === 'EXT-X-PROGRAM-DATE-TIME') draft.programDateTime = value;
    else if (name === 'EXT-X-BYTERANGE') draft.range = readRange(value, entries.at(-1), bad);
    else if (name === '') {
      if (draft.duration === undefined) bad(`line ${line}: ${value} has no EXTINF`);
      entries.push({
        n: first + entries.length,
        uri: value,
        line,
        duration: draft.duration ?? '',
        isGap: draft.isGap ?? false,
        isDiscontinuous: draft.isDiscontinuous ?? false,
        programDateTime: draft.programDateTime,
        range: draft.range,
      });
      draft = {};
    }
  }
  if (draft.duration !== undefined) bad('the last EXTINF has no URI');
  return entries;
}

function readRange(
  value: string,
  before: Entry | undefined,
  bad: (message: string) => void,
): ByteRange | undefined {
  const match = /^(\d+)(?:@(\d+))?$/.exec(value);
  const follows = before?.range && before.range.offset + before.range.length;
  const offset = match?.[2] === undefined ? follows : Number(match[2]);
  if (!match || offset === undefined) {
    bad(`EXT-X-BYTERANGE is ${value}`);
    return undefined;
  }
  return { offset, length: Number(match[1]) };
}

function readSkip(value: string, bad: (message: string, rule?: RuleId) => void): number {
  const text = attribute(value, 'SKIPPED-SEGMENTS') ?? '';
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  bad(`EXT-X-SKIP has the SKIPPED-SEGMENTS ${text || 'nowhere'}`, 'playlist-skip');
  return 0;
}

function readBoundary(
  value: string,
  bad: (message: string, rule?: RuleId) => void,
): number | undefined {
  const text = attribute(value, 'CAN-SKIP-UNTIL');
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  bad(`CAN-SKIP-UNTIL is ${text}`, 'playlist-skip');
  return undefined;
}

function readStart(value: string, bad: (message: string) => void): Playlist['start'] {
  const text = attribute(value, 'TIME-OFFSET') ?? '';
  if (!/^-?\d+(\.\d+)?$/.test(text)) {
    bad(`EXT-X-START has the TIME-OFFSET ${text || 'nowhere'}`);
    return undefined;
  }
  return { offset: Number(text), precise: attribute(value, 'PRECISE') === 'YES' };
}

function attribute(list: string | undefined, name: string): string | undefined {
  return new RegExp(`(?:^|,)${name}=([^,]*)`).exec(list ?? '')?.[1];
}
