import { describe, expect, it } from 'vitest';
import {
  writeMediaPlaylist,
  type PlaylistOptions,
  type PlaylistSegment,
} from '../../../src/media/playlist.ts';

const START_MS = Date.UTC(2024, 1, 29, 23, 59, 58, 400);

describe('writeMediaPlaylist', () => {
  it('writes a finished recording as VOD, every segment with its length and date', () => {
    const text = playlist({
      mediaSequence: 7,
      segments: [segment(0), segment(1)],
      type: 'VOD',
      ended: true,
    });

    expect(text).toBe(`#EXTM3U
#EXT-X-VERSION:8
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-PROGRAM-DATE-TIME:2024-02-29T23:59:58.400Z
#EXTINF:1.6,
0.ts
#EXT-X-PROGRAM-DATE-TIME:2024-03-01T00:00:00.000Z
#EXTINF:1.6,
1.ts
#EXT-X-ENDLIST
`);
  });

  it('only appends to an EVENT playlist, whatever is appended', () => {
    const segments = [segment(0), segment(1), { ...segment(2), gap: true }, segment(3)];
    const states = segments.map((_, index) => playlist({ segments: segments.slice(0, index + 1) }));
    states.unshift(playlist({ segments: [] }));
    states.push(playlist({ segments, ended: true }));

    for (const [index, text] of states.entries()) {
      expect(text.startsWith(states[index - 1] ?? '#EXTM3U\n')).toBe(true);
    }
  });

  it('marks a hole and a change of parameter sets ahead of their own segment only', () => {
    const text = playlist({
      segments: [segment(0), { ...segment(1), gap: true, discontinuity: true }, segment(2)],
    });

    expect(text.match(/#EXT-X-GAP\n/g)).toHaveLength(1);
    expect(text.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(1);
    expect(text).toContain(
      '0.ts\n#EXT-X-DISCONTINUITY\n#EXT-X-GAP\n#EXT-X-PROGRAM-DATE-TIME:2024-03-01T00:00:00.000Z\n#EXTINF:1.6,\n1.ts\n',
    );
  });

  it.each([
    [0, '0.0'],
    [733, '0.733'],
    [12_050, '12.05'],
  ])('starts players %i ms into the playlist, precisely', (startOffsetMs, text) => {
    const start = `#EXT-X-START:TIME-OFFSET=${text},PRECISE=YES\n`;

    expect(playlist({ startOffsetMs })).toContain(start);
    expect(playlist({})).not.toContain('#EXT-X-START');
  });

  it('gives a LIVE playlist no type and no end', () => {
    const text = playlist({ type: 'LIVE' });

    expect(text).not.toContain('PLAYLIST-TYPE');
    expect(text).not.toContain('ENDLIST');
  });

  it.each([
    [1600, 2, '1.6'],
    [400, 2, '0.4'],
    [2499, 2, '2.499'],
    [4800, 5, '4.8'],
    [6000, 6, '6.0'],
  ])(
    'rounds segments of %i ms to a target of %i s and writes them exactly',
    (durationMs, target, text) => {
      const written = playlist({ segments: [{ ...segment(0), durationMs }] });

      expect(written).toContain(`#EXT-X-TARGETDURATION:${target}\n`);
      expect(written).toContain(`#EXTINF:${text},\n`);
    },
  );
});

function segment(n: number): PlaylistSegment {
  return { uri: `${n}.ts`, startMs: START_MS + 1600 * n, durationMs: 1600 };
}

function playlist(options: Partial<PlaylistOptions>): string {
  return writeMediaPlaylist({
    mediaSequence: 0,
    type: 'EVENT',
    ended: false,
    segments: [segment(0)],
    ...options,
  });
}
