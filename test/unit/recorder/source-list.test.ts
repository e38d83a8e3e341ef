import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceList } from '../../../recorder/classroom/sources/source-list.ts';
import type { StreamSource } from '../../../src/model/recording.ts';
import { MAX_SOURCES, streamName } from '../../../src/protocol/classroom.ts';

const stream = (participantId: string, change: { readonly url?: string } = {}): StreamSource => ({
  ...{ participantId, name: participantId, role: 'student', kind: 'file' },
  url: 'http://127.0.0.1/film.mp4',
  ...change,
});
const name = (participantId: string): Pick<StreamSource, 'participantId' | 'role'> => ({
  participantId,
  role: 'student',
});
const idsOf = (list: SourceList): string[] =>
  list.sources.map(({ participantId }) => participantId);
const many = (from: number, count: number): StreamSource[] =>
  Array.from({ length: count }, (_, i) => stream(`p${from + i}`));

describe('streams told by recording and signalling', () => {
  it('are those of the recording, changed in place, added to and taken from by signalling', () => {
    const list = new SourceList([stream('a'), stream('b'), stream('c')]);
    const elsewhere = stream('a', { url: 'http://127.0.0.1/other.mp4' });
    list.change({ set: [elsewhere, stream('d')], remove: [name('b')] });
    expect(list.sources).toEqual([elsewhere, stream('c'), stream('d')]);
  });

  it('follow signalling where both name the same stream, whichever spoke last', () => {
    const list = new SourceList([stream('a'), stream('b')]);
    const elsewhere = stream('a', { url: 'http://127.0.0.1/other.mp4' });
    list.change({ set: [elsewhere], remove: [name('b')] });
    list.setRecorded([stream('a'), stream('b'), stream('c')]);
    expect(list.sources).toEqual([elsewhere, stream('c')]);
    list.change({ set: [stream('b')], remove: [name('a')] });
    expect(idsOf(list)).toEqual(['b', 'c']);
  });

  it('forget what signalling said before its snapshot', () => {
    const list = new SourceList([stream('a')]);
    list.change({ set: [stream('b')], remove: [name('a')] });
    list.replace({ set: [stream('c')], remove: [] });
    expect(idsOf(list)).toEqual(['a', 'c']);
  });

  it('are never more than 25: what is too many is refused, and counted', () => {
    const list = new SourceList(many(0, 20));
    list.change({ set: many(100, MAX_SOURCES), remove: [] });
    expect(list.sources).toHaveLength(MAX_SOURCES);
    expect(list.refused).toBe(20);
    list.change({ set: [stream('p3', { url: 'http://127.0.0.1/new.mp4' })], remove: [] });
    expect(list.refused).toBe(20);
    list.setRecorded(many(0, MAX_SOURCES));
    expect(idsOf(list)).toEqual(
      many(0, MAX_SOURCES)
        .map(streamName)
        .map((one) => one.slice(8)),
    );
  });

  it('take up no more room for a server that names new ones for ever', () => {
    const id = fc.integer({ min: 0, max: 60 }).map((n) => `p${n}`);
    const change = fc.record({
      set: fc.array(
        id.map((one) => stream(one)),
        { maxLength: MAX_SOURCES },
      ),
      remove: fc.array(id.map(name), { maxLength: MAX_SOURCES }),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        const list = new SourceList(many(0, 5));
        for (const one of changes) {
          list.change(one);
          const names = list.sources.map(streamName);
          expect(names.length).toBeLessThanOrEqual(MAX_SOURCES);
          expect(new Set(names).size).toBe(names.length);
          const gone = new Set(one.remove.map(streamName));
          for (const source of one.set) gone.delete(streamName(source));
          for (const left of names) expect(gone.has(left)).toBe(false);
        }
      }),
      { numRuns: 30 },
    );
  });
});
