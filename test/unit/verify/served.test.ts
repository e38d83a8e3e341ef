import { describe, expect, test } from 'vitest';
import { verifyPlaylist } from '../../../src/verify/verify-playlist.ts';
import { buildRecording, entryLines, rulesOf, verifyRecording } from './fixture-recording.ts';

const SEGMENTS = 20;
/** Names and times of a playlist that is served; its media are not looked at here. */
const HEAD = [
  '#EXTM3U',
  '#EXT-X-VERSION:9',
  '#EXT-X-TARGETDURATION:2',
  '#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12.0',
];

type Form = {
  readonly first?: number;
  readonly end: number;
  readonly type?: string;
  readonly skipped?: number;
  readonly tail?: string;
};

/** A playlist of entries `first` up to `end` (not included), `skipped` of them left out. */
function write({ first = 0, end, type, skipped = 0, tail = '' }: Form): string {
  const from = first + skipped;
  const entries = Array.from({ length: end - from }, (_, at) =>
    entryLines(from + at, `segment-${from + at}.ts`),
  );
  const lines = [
    ...HEAD,
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    ...(type === undefined ? [] : [`#EXT-X-PLAYLIST-TYPE:${type}`]),
    ...(skipped === 0 ? [] : [`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`]),
  ];
  return `${lines.join('\n')}\n${entries.join('')}${tail}`;
}

const EVENT = { type: 'EVENT', end: SEGMENTS };
const DELTA = { ...EVENT, skipped: 12 };

/** The rules broken by what a server says when it is asked again, besides the media that are not there. */
async function judge(before: string, now: string, delta = write(DELTA)): Promise<string[]> {
  const report = await verifyPlaylist(
    before,
    {
      readObject: () => Promise.reject(new Error('not looked at')),
      readAgain: (query) => Promise.resolve(Buffer.from(query?._HLS_skip ? delta : now)),
    },
    { name: 'http://127.0.0.1/index.m3u8' },
  );
  return rulesOf(report).filter((rule) => rule !== 'entry-missing');
}

describe('asked again', () => {
  test('accepts a playlist that has grown, and one that has ended', async () => {
    expect(await judge(write({ ...EVENT, end: 18 }), write(EVENT))).toEqual([]);
    const ended = write({ ...EVENT, tail: '#EXT-X-ENDLIST\n' });
    expect(await judge(write(EVENT), ended)).toEqual([]);
  });

  test('accepts a window that has moved on', async () => {
    const delta = write({ first: 3, end: SEGMENTS, skipped: 8 });
    expect(
      await judge(write({ first: 1, end: 18 }), write({ first: 3, end: SEGMENTS }), delta),
    ).toEqual([]);
  });

  const grown = write(EVENT);
  test.each([
    ['an entry has become a GAP', grown.replace(/(#EXTINF.*\nsegment-9)/, '#EXT-X-GAP\n$1')],
    ['an entry has another URI', grown.replace('segment-9.ts', 'other-9.ts')],
    ['an entry has another time', grown.replace(/\.400Z(?=\n.*\nsegment-9\.)/, '.401Z')],
    ['an entry has another length', grown.replace('1.6,\nsegment-9.', '1.60,\nsegment-9.')],
    [
      'a discontinuity has turned up',
      grown.replace(/(#EXTINF.*\nsegment-9)/, '#EXT-X-DISCONTINUITY\n$1'),
    ],
    ['entries are gone from the end', write({ ...EVENT, end: 17 })],
    ['an event has lost its start', write({ ...EVENT, first: 2 })],
    ['the target duration has changed', grown.replace('TARGETDURATION:2', 'TARGETDURATION:3')],
    ['the version has changed', grown.replace('VERSION:9', 'VERSION:10')],
  ])('names it when %s', async (_, now) => {
    expect(now).not.toBe(grown);
    expect(await judge(write({ ...EVENT, end: 18 }), now)).toContain('playlist-append');
  });

  test('names an end that is taken back, and one that is passed', async () => {
    const ended = write({ ...EVENT, end: 18, tail: '#EXT-X-ENDLIST\n' });
    expect(await judge(ended, write({ ...EVENT, end: 18 }))).toContain('playlist-append');
    expect(await judge(ended, write({ ...EVENT, tail: '#EXT-X-ENDLIST\n' }))).toContain(
      'playlist-append',
    );
  });

  test('names a window that goes back', async () => {
    const found = await judge(write({ first: 3, end: 18 }), write({ first: 2, end: 18 }));
    expect(found).toContain('playlist-append');
  });
});

describe('a delta update', () => {
  test('is accepted when it is newer than the playlist, or whole', async () => {
    expect(await judge(write(EVENT), write(EVENT), write({ ...DELTA, end: 22 }))).toEqual([]);
    expect(await judge(write(EVENT), write(EVENT), write(EVENT))).toEqual([]);
  });

  test('is accepted as the playlist to check, its entries numbered from behind the skip', async () => {
    const recording = buildRecording(undefined, 4711);
    const playlist = recording.playlist
      .replace('VERSION:8\n', 'VERSION:9\n#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12\n')
      .replace('SEQUENCE:4711', 'SEQUENCE:11\n#EXT-X-SKIP:SKIPPED-SEGMENTS=4700');
    // Three segments are not the six target durations that a server must keep; all else is right.
    expect(rulesOf(await verifyRecording({ ...recording, playlist }))).toEqual(['playlist-skip']);
    const wrong = playlist.replace('SEGMENTS=4700', 'SEGMENTS=4701');
    expect(rulesOf(await verifyRecording({ ...recording, playlist: wrong }))).toContain(
      'pts-origin',
    );
  });

  test.each([
    ['skips one too few', write(DELTA).replace('SEGMENTS=12', 'SEGMENTS=11')],
    ['skips inside the boundary', write({ ...DELTA, skipped: 13 })],
    ['has no number', write(DELTA).replace('SEGMENTS=12', 'SEGMENTS=all')],
    ['is older than the playlist', write({ ...DELTA, end: 19, skipped: 10 })],
    ['has another segment', write(DELTA).replace('segment-17.ts', 'other-17.ts')],
    ['has another boundary', write(DELTA).replace('UNTIL=12.0', 'UNTIL=12.8')],
  ])('is named when it %s', async (_, delta) => {
    expect(await judge(write(EVENT), write(EVENT), delta)).toContain('playlist-skip');
  });

  test.each([
    ['a boundary below six target durations', write(EVENT).replace('UNTIL=12.0', 'UNTIL=11.9')],
    ['a boundary that is no number', write(EVENT).replace('UNTIL=12.0', 'UNTIL=soon')],
    ['EXT-X-SKIP without a boundary', write(DELTA).replace(/#EXT-X-SERVER.*\n/, '')],
    ['EXT-X-SKIP in version 8', write(DELTA).replace('VERSION:9', 'VERSION:8')],
  ])('is named for %s', async (what, playlist) => {
    const rule = what.endsWith('8') ? 'playlist-version' : 'playlist-skip';
    expect(await judge(playlist, playlist)).toContain(rule);
  });
});
