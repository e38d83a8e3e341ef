import { describe, expect, it } from 'vitest';
import {
  joinJournals,
  parseJournal,
  parseJournalKey,
  serializeJournal,
  type Journal,
} from '../../../src/storage/index/journal.ts';
import {
  isJournalDue,
  JOURNAL_SEGMENTS,
  type JournalState,
} from '../../../src/storage/index/journal-plan.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { sampleEntry } from '../../support/sample-records.ts';

function journal(change: Partial<Journal> = {}): Journal {
  return {
    version: 1,
    from: 0,
    entries: [],
    last: -1,
    epochs: {},
    aside: [],
    writtenAtMs: 0,
    ...change,
  };
}

const entries = (...numbers: number[]): ReturnType<typeof sampleEntry>[] =>
  numbers.map((n) => sampleEntry(n));

describe('a journal', () => {
  it('is read back as it was written, with what later versions add to an entry', () => {
    const written = journal({
      from: 64,
      entries: [{ ...sampleEntry(64), spanMs: 400 }],
      last: 65,
      epochs: { '0': 3 },
      aside: entries(12),
    });
    expect(parseJournal(serializeJournal(written), 'x')).toEqual(written);
  });

  it('is refused, by name, when it is something else', () => {
    const { place: _, ...placeless } = sampleEntry(0);
    const broken = [placeless, { ...sampleEntry(0), n: -1 }, null].map((entry) =>
      JSON.stringify({ ...journal(), entries: [entry] }),
    );
    for (const text of ['', '{}', '{"version":2}', '[1]', ...broken]) {
      expect(() =>
        parseJournal(Buffer.from(text), 'recordings/r/journal/000000-000000.json'),
      ).toThrow(/^recordings\/r\/journal\/000000-000000\.json: expected a journal/);
    }
  });

  it('has its place in its key', () => {
    const key = objectKeys.journal('r', { seq: 12, from: 777 });
    expect(key).toBe('recordings/r/journal/000012-000777.json');
    expect(parseJournalKey(key)).toEqual({ seq: 12, from: 777 });
    expect(parseJournalKey('recordings/r/journal/other')).toBeUndefined();
  });
});

describe('journals together', () => {
  it('say what all say, the later ones the last word', () => {
    const joined = joinJournals([
      { seq: 3, journal: journal({ entries: entries(0, 1, 2), last: 2, epochs: { '0': 4 } }) },
      { seq: 4, journal: journal({ from: 2, entries: entries(3), last: 5, epochs: { '0': 2 } }) },
      { seq: 6, journal: journal({ from: 3, entries: entries(6), last: 6, aside: entries(4) }) },
    ]);
    expect(joined).toEqual({
      entries: entries(0, 1, 3, 6),
      last: 6,
      epochs: { '0': 4 },
      aside: entries(4),
      seq: 7,
    });
  });

  it('say nothing when there are none', () => {
    expect(joinJournals([])).toEqual({ entries: [], last: -1, epochs: {}, aside: [], seq: 0 });
  });
});

describe('a journal is due', () => {
  const state = (change: Partial<JournalState>): JournalState => ({
    seq: 1,
    covered: 1,
    coveredLast: 9,
    last: change.tail?.at(-1)?.n ?? 9,
    before: sampleEntry(9),
    tail: [],
    hasNewLate: false,
    ...change,
  });

  it('never for what names say: the next numbers of the same owner', () => {
    expect(isJournalDue(state({}))).toBe(false);
    expect(isJournalDue(state({ tail: entries(10, 11, 12) }))).toBe(false);
  });

  it('for the first segment, a hole, another owner, another codec, a part, and a late one', () => {
    const due: Partial<JournalState>[] = [
      { before: undefined, covered: 0, coveredLast: -1, last: 0, tail: entries(0) },
      { tail: entries(11) },
      { tail: entries(10, 12) },
      { tail: [sampleEntry(10, { epoch: 2 })] },
      { tail: [sampleEntry(10, { lane: 1 })] },
      { tail: [sampleEntry(10, { codecHash: 'codec-b' })] },
      { tail: [sampleEntry(10, { spanMs: 700 })] },
      { hasNewLate: true },
    ];
    for (const change of due) expect(isJournalDue(state(change))).toBe(true);
  });

  it('for numbers given up behind the last entry, once', () => {
    expect(isJournalDue(state({ last: 10 }))).toBe(true);
    expect(isJournalDue(state({ last: 10, coveredLast: 10 }))).toBe(false);
    expect(isJournalDue(state({ last: 12, tail: entries(10, 11) }))).toBe(true);
  });

  it(`after ${JOURNAL_SEGMENTS} segments`, () => {
    const tail = (count: number): ReturnType<typeof entries> =>
      entries(...Array.from({ length: count }, (_, i) => 10 + i));
    expect(isJournalDue(state({ tail: tail(JOURNAL_SEGMENTS - 1) }))).toBe(false);
    expect(isJournalDue(state({ tail: tail(JOURNAL_SEGMENTS) }))).toBe(true);
  });
});
