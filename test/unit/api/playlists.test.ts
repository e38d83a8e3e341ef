import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planClipPlaylist, windowSegments } from '../../../src/api/clip-playlist.ts';
import {
  parseSegmentName,
  planFinalPlaylist,
  planSegments,
  segmentName,
  type PlaylistPlace,
} from '../../../src/storage/recording-playlist.ts';
import type { RecordingState } from '../../../src/model/recording.ts';
import { SAMPLE_ORIGIN_MS as ORIGIN, sampleEntry } from '../../support/sample-records.ts';

const recording = { id: 'r', originMs: ORIGIN, state: 'recording' as RecordingState };

const options = { originMs: ORIGIN, folder: 'segments/' };

describe('a recording’s final playlist', () => {
  it('is not there before the first segment or without an origin', () => {
    expect(planFinalPlaylist([], recording)).toBeUndefined();
    expect(planFinalPlaylist([sampleEntry(0)], { ...recording, originMs: null })).toBeUndefined();
  });

  it('has a line for each number from the first entry to the last, and a gap for each hole', () => {
    const plan = planFinalPlaylist([sampleEntry(4), sampleEntry(5), sampleEntry(8)], recording);
    expect(plan).toMatchObject({ type: 'VOD', ended: true, mediaSequence: 4 });
    expect(plan?.segments.map(({ uri, gap }) => [uri, gap ?? false])).toEqual([
      ['segments/000004-0-1.ts', false],
      ['segments/000005-0-1.ts', false],
      ['segments/000006-gap.ts', true],
      ['segments/000007-gap.ts', true],
      ['segments/000008-0-1.ts', false],
    ]);
    expect(plan?.segments.map(({ startMs }) => startMs - ORIGIN)).toEqual([
      6400, 8000, 9600, 11_200, 12_800,
    ]);
  });
});

describe('a recording’s lines', () => {
  it('mark a change of codec and nothing else, also across a hole', () => {
    const entries = ['a', 'a', 'b', 'b', 'a'].map((codecHash, i) =>
      sampleEntry(i < 4 ? i : 6, { codecHash, epoch: i }),
    );
    const { lines } = planSegments(entries, options);
    expect(lines.map(({ discontinuity }) => discontinuity ?? false)).toEqual([
      ...[false, false, true, false],
      ...[false, false, true],
    ]);
  });

  it('have gaps behind the last entry for what has been given up', () => {
    const first = planSegments([sampleEntry(3)], { ...options, settledTo: 5 });
    expect(first.lines.map(({ gap }) => gap ?? false)).toEqual([false, true, true]);
    const next = planSegments([sampleEntry(7)], { ...options, after: first.end, settledTo: 2 });
    expect(next.lines.map(({ uri }) => uri)).toEqual([
      'segments/000006-gap.ts',
      'segments/000007-0-1.ts',
    ]);
    expect(planSegments([], { ...options, settledTo: 5 }).lines).toEqual([]);
  });

  it('are the same whether they are planned at once or one after the other', () => {
    const steps = fc.array(
      fc.record({ step: fc.integer({ min: 1, max: 4 }), codec: fc.nat(1), given: fc.nat(5) }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(steps, (made) => {
        let n = -1;
        const entries = made.map(({ step, codec }) =>
          sampleEntry((n += step), { codecHash: String(codec) }),
        );
        let after: PlaylistPlace | undefined;
        const lines = entries.flatMap((entry, i) => {
          // Numbers up to the next entry's may have been given up before it came.
          const settledTo = Math.min(entry.n + (made[i]?.given ?? 0), (entries[i + 1]?.n ?? 0) - 1);
          const planned = planSegments([entry], { ...options, after, settledTo });
          after = planned.end;
          return planned.lines;
        });
        expect(lines).toEqual(planSegments(entries, options).lines);
      }),
    );
  });
});

describe('a segment’s name', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.nat(2_000_000), fc.nat(1), fc.nat(1e9), (n, lane, epoch) => {
        expect(parseSegmentName(segmentName({ n, lane, epoch }))).toEqual({ n, lane, epoch });
      }),
    );
  });

  it.each([
    '',
    '1-0-1.ts',
    '000001-0-1.mp4',
    '000001-gap.ts',
    '../000001-0-1.ts',
    '000001-0-1.ts/',
  ])('is not %j', (name) => {
    expect(parseSegmentName(name)).toBeUndefined();
  });
});

describe('a clip’s playlist', () => {
  const window = { startMs: ORIGIN + 4000, endMs: ORIGIN + 8000 };
  const entries = (...numbers: number[]): ReturnType<typeof sampleEntry>[] =>
    numbers.map((n) => sampleEntry(n));

  it('covers the segments that the window touches', () => {
    expect(windowSegments(window, ORIGIN)).toEqual({ first: 2, last: 4 });
    const exact = { startMs: ORIGIN + 3200, endMs: ORIGIN + 6400 };
    expect(windowSegments(exact, ORIGIN)).toEqual({ first: 2, last: 3 });
    const early = { startMs: ORIGIN - 5000, endMs: ORIGIN + 1 };
    expect(windowSegments(early, ORIGIN)).toEqual({ first: 0, last: 0 });
  });

  it('starts exactly at the window and grows until the window is over', () => {
    const open = planClipPlaylist(entries(0, 1, 2, 3), recording, window);
    expect(open).toMatchObject({
      isOver: false,
      playlist: { mediaSequence: 2, ended: false, startOffsetMs: 800 },
    });
    const over = planClipPlaylist(entries(0, 1, 2, 3, 4, 5), recording, window);
    expect(over.playlist?.ended).toBe(true);
    expect(over.playlist?.segments.map(({ uri }) => uri)).toEqual(
      [2, 3, 4].map((n) => `../../recordings/r/segments/00000${n}-0-1.ts`),
    );
  });

  it('is over when its last segment is a hole that has been passed', () => {
    const { playlist } = planClipPlaylist(entries(2, 3, 6), recording, window);
    expect(playlist).toMatchObject({ ended: true, segments: [{}, {}, { gap: true }] });
    const given = planClipPlaylist(entries(2), recording, window, 4).playlist;
    expect(given).toMatchObject({ ended: true, segments: [{}, { gap: true }, { gap: true }] });
  });

  it('starts at its first segment where the window’s own beginning is a hole', () => {
    const { playlist } = planClipPlaylist(entries(3, 4), recording, window);
    expect(playlist).toMatchObject({ mediaSequence: 3, startOffsetMs: 0 });
  });

  it('tells what of the window can be played, and what is missing in it', () => {
    const at = (startMs: number, endMs: number): object => ({
      startMs: ORIGIN + startMs,
      endMs: ORIGIN + endMs,
    });
    const extent = (...numbers: number[]): object => {
      const { bounds, holes } = planClipPlaylist(entries(...numbers), recording, window);
      return { bounds, holes };
    };
    expect(extent(2, 3, 4, 5)).toEqual({ bounds: at(4000, 8000), holes: [] });
    // It grows: what has not come yet is no hole.
    expect(extent(0, 1, 2)).toEqual({ bounds: at(4000, 4800), holes: [] });
    expect(extent(2, 4)).toEqual({ bounds: at(4000, 8000), holes: [at(4800, 6400)] });
    expect(extent(3)).toEqual({ bounds: at(4800, 6400), holes: [at(4000, 4800)] });
    const given = planClipPlaylist(entries(2), recording, window, 9);
    expect(given).toMatchObject({ bounds: at(4000, 4800), holes: [at(4800, 8000)] });
    // A recording that ended early has no hole behind its end.
    const ended = { ...recording, state: 'completed' as RecordingState };
    expect(planClipPlaylist(entries(2), ended, window)).toMatchObject({ isOver: true, holes: [] });
  });

  it('skips a hole and marks a change of parameter sets behind it', () => {
    const changed = [sampleEntry(2), sampleEntry(4, { codecHash: 'b' })];
    const { playlist } = planClipPlaylist(changed, recording, window);
    expect(playlist?.segments).toMatchObject([{}, { gap: true }, { discontinuity: true }]);
  });

  it('says whether a segment can still come while there is none', () => {
    const nothing = { playlist: undefined, isOver: false, bounds: null, entries: [] };
    expect(planClipPlaylist(entries(0, 1), recording, window)).toMatchObject(nothing);
    expect(planClipPlaylist(entries(0, 5), recording, window).isOver).toBe(true);
    const ended = { ...recording, state: 'completed' as RecordingState };
    expect(planClipPlaylist(entries(0, 1), ended, window).isOver).toBe(true);
    const noPicture = { ...recording, originMs: null };
    expect(planClipPlaylist([], noPicture, window)).toMatchObject(nothing);
  });
});
