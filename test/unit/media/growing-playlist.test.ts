import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GrowingPlaylist, LIVE_WINDOW_ENTRIES } from '../../../src/media/growing-playlist.ts';
import { GrowingText } from '../../../src/media/growing-text.ts';
import { writeMediaPlaylist, type PlaylistSegment } from '../../../src/media/playlist.ts';
import { parsePlaylist } from '../../../src/verify/playlist/parse.ts';

const START_MS = Date.UTC(2024, 1, 29, 23, 59, 58, 400);
/** Seconds a delta update keeps at least: six target durations (draft-pantos-hls-rfc8216bis §4.4.3.8). */
const SKIP_BOUNDARY_S = 12;

type Form = Parameters<GrowingPlaylist['write']>[0];

function segment(n: number, marks: Partial<PlaylistSegment> = {}): PlaylistSegment {
  return { uri: `segments/${n}.ts`, startMs: START_MS + 1600 * n, durationMs: 1600, ...marks };
}

function write(playlist: GrowingPlaylist, form: Partial<Form> = {}): string {
  const whole = { extent: 'whole', isDelta: false, ended: false, ...form } as const;
  const plain = Buffer.concat(playlist.write(whole).pieces).toString();
  const { pieces, isGzip } = playlist.write(whole, { gzip: true });
  const other = Buffer.concat(pieces);
  expect(isGzip ? gunzipSync(other).toString() : other.toString()).toBe(plain);
  return plain;
}

const marks = fc.record({ discontinuity: fc.boolean(), gap: fc.boolean() });

describe('a growing playlist', () => {
  it('is the playlist of its entries', () => {
    const playlist = new GrowingPlaylist({ type: 'EVENT', mediaSequence: 7 });
    const segments = [segment(7), segment(8, { gap: true }), segment(9, { discontinuity: true })];
    playlist.append(segments);

    const options = { type: 'EVENT', mediaSequence: 7, canSkip: true, segments } as const;
    expect(write(playlist)).toBe(writeMediaPlaylist({ ...options, ended: false }));
    expect(write(playlist, { ended: true })).toBe(writeMediaPlaylist({ ...options, ended: true }));
    expect(write(playlist)).toContain('#EXT-X-VERSION:9\n');
    expect(write(playlist)).toContain(`#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12.0\n`);
  });

  it('is a VOD of an older version when nothing will be appended', () => {
    const playlist = new GrowingPlaylist({ type: 'VOD', mediaSequence: 0 });
    playlist.append([segment(0)]);
    const options = { type: 'VOD', mediaSequence: 0, segments: [segment(0)], ended: true } as const;
    expect(write(playlist, { ended: true })).toBe(writeMediaPlaylist(options));
  });

  it('gives what a player has and a delta update together the whole, in its window too', () => {
    const grown = fc.array(marks, { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(grown, fc.nat(500), fc.constantFrom('whole', 'window'), (made, first, extent) => {
        const playlist = new GrowingPlaylist({ type: 'EVENT', mediaSequence: first });
        const history = new Map<number, object>();
        const discontinuities = new Map<number, number>();
        let passed = 0;
        for (const [i, mark] of made.entries()) {
          playlist.append([segment(first + i, mark)]);
          passed += Number(mark.discontinuity);
          discontinuities.set(first + i, passed);
          const full = parsePlaylist(write(playlist, { extent }));
          const delta = parsePlaylist(write(playlist, { extent, isDelta: true }));
          expect([...full.problems, ...delta.problems]).toEqual([]);
          // Each entry's number and discontinuity number never change, whatever a window has lost.
          let number = full.discontinuitySequence ?? 0;
          for (const { line: _, ...entry } of full.entries) {
            number += Number(entry.isDiscontinuous);
            expect(number).toBe(discontinuities.get(entry.n));
            expect(history.get(entry.n) ?? entry).toEqual(entry);
            history.set(entry.n, entry);
          }
          expect(full.entries).toHaveLength(
            extent === 'whole' ? i + 1 : Math.min(i + 1, LIVE_WINDOW_ENTRIES),
          );
          expect(delta.mediaSequence).toBe(full.mediaSequence);
          expect(delta.discontinuitySequence).toBe(full.discontinuitySequence);
          expect(delta.entries.map(({ n, uri }) => [n, uri])).toEqual(
            full.entries.slice(delta.skipped).map(({ n, uri }) => [n, uri]),
          );
          if (delta.skipped === 0) continue;
          expect(delta.entries.length * 1.6).toBeGreaterThanOrEqual(SKIP_BOUNDARY_S);
          expect((delta.entries.length - 1) * 1.6).toBeLessThan(SKIP_BOUNDARY_S);
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe('a growing text', () => {
  it('is the same text compressed, however it grew', () => {
    const pieces = fc.array(
      fc.oneof(fc.string({ maxLength: 200 }), fc.integer({ min: 1, max: 90_000 }).map(filler)),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(pieces, fc.string({ maxLength: 20 }), (made, tail) => {
        const text = new GrowingText();
        let expected = '';
        for (const piece of made) {
          text.append(piece);
          expected += piece;
          expect(gunzipSync(Buffer.concat(text.gzip(tail))).toString()).toBe(expected + tail);
          expect(Buffer.concat(text.plain(tail)).toString()).toBe(expected + tail);
        }
      }),
      { numRuns: 20 },
    );
  });
});

/** Text that compresses as playlists do. */
function filler(length: number): string {
  return Array.from({ length: Math.ceil(length / 8) }, (_, i) => `${i}`.padStart(8, '0'))
    .join('')
    .slice(0, length);
}
