import { describe, expect, it } from 'vitest';
import type { JoinedJournal } from '../../../src/storage/index/journal.ts';
import {
  planIndex,
  type FoundSegment,
  type IndexPlan,
} from '../../../src/storage/rebuild/rebuild-plan.ts';
import { sampleEntry } from '../../support/sample-records.ts';

const CODECS = new Map([
  ['0:1', 'codec-a'],
  ['0:2', 'codec-b'],
  ['1:1', 'codec-a'],
]);

/** `3-0-1`: number, lane, epoch. */
function found(...names: string[]): FoundSegment[] {
  return names.map((name) => {
    const [n = 0, lane = 0, epoch = 0] = name.split('-').map(Number);
    const { object, length } = sampleEntry(n, { lane, epoch }).place;
    return { n, lane, epoch, object, length, modifiedAtMs: 1000.6 };
  });
}

/** Journals that have numbers 0 to `last`, of lane 0 under epoch 1. */
function journalTo(last: number, change: Partial<JoinedJournal> = {}): JoinedJournal {
  const entries = Array.from({ length: last + 1 }, (_, n) => sampleEntry(n));
  return { entries, last, epochs: { '0': 1 }, aside: [], seq: 5, ...change };
}

const nameOf = (s: { n: number; lane: number; epoch: number }): string =>
  `${s.n}-${s.lane}-${s.epoch}`;

function describePlan(plan: IndexPlan): object {
  const { entries, covered, aside, orphans, last } = plan;
  return {
    added: entries.slice(covered).map(nameOf),
    aside: aside.map(nameOf),
    orphans: orphans.map(nameOf),
    last,
  };
}

const plan = (journal: JoinedJournal, ...names: string[]): object =>
  describePlan(planIndex(journal, found(...names), CODECS));

describe('a planned index', () => {
  it('goes on with the next numbers of the last owner', () => {
    const planned = planIndex(journalTo(2), found('3-0-1', '4-0-1'), CODECS);
    expect(planned.entries.slice(0, 3)).toEqual([0, 1, 2].map((n) => sampleEntry(n)));
    expect(planned.entries.slice(3)).toEqual([
      sampleEntry(3, { publishedAtMs: 1001 }),
      sampleEntry(4, { publishedAtMs: 1001 }),
    ]);
    expect(planned).toMatchObject({ covered: 3, coveredLast: 2, last: 4, seq: 5, orphans: [] });
  });

  it('leaves to the index what names do not say: a hole, another owner', () => {
    expect(plan(journalTo(2), '3-0-1', '5-0-1', '6-0-1')).toEqual({
      added: ['3-0-1'],
      aside: ['5-0-1', '6-0-1'],
      orphans: [],
      last: 3,
    });
    expect(plan(journalTo(2), '3-1-1', '4-0-1')).toEqual({
      added: [],
      aside: ['3-1-1', '4-0-1'],
      orphans: [],
      last: 2,
    });
  });

  it('stays with the owner where two have one number; of two others takes what was stored first', () => {
    expect(plan(journalTo(2), '3-0-1', '3-0-2', '3-1-1')).toMatchObject({
      added: ['3-0-1'],
      orphans: ['3-0-2', '3-1-1'],
    });
    expect(plan(journalTo(2), '4-0-1', '4-0-2')).toMatchObject({
      aside: ['4-0-1'],
      orphans: ['4-0-2'],
    });
    const planned = planIndex(
      journalTo(2),
      [...found('4-1-1'), ...found('4-0-2').map((object) => ({ ...object, modifiedAtMs: 900 }))],
      CODECS,
    );
    expect(planned.aside.map(nameOf)).toEqual(['4-0-2']);
  });

  it('keeps holes that were decided, though their media has come', () => {
    const decided = journalTo(2, { last: 4 });
    // 5 is the next number, but not the next of the owner's: the hole is before it.
    expect(plan(decided, '5-0-1')).toMatchObject({ added: [], aside: ['5-0-1'], last: 4 });
    expect(plan(decided, '3-0-1', '4-0-1')).toMatchObject({ added: [], aside: ['3-0-1', '4-0-1'] });
  });

  it('keeps what came late aside', () => {
    const late = sampleEntry(1, { epoch: 2 });
    const journal = { ...journalTo(2), entries: [0, 2].map((n) => sampleEntry(n)), aside: [late] };
    const planned = planIndex(journal, found('3-0-1'), CODECS);
    expect(planned.entries.map(({ n }) => n)).toEqual([0, 2, 3]);
    expect(planned.aside).toEqual([late]);
  });

  it('tells orphans: numbers that stand, bytes that are no segment', () => {
    expect(plan(journalTo(2), '1-1-1', '2-0-1', '4-0-1', '9-0-2', '4-7-1')).toEqual({
      added: [],
      aside: ['4-0-1', '9-0-2'],
      orphans: ['1-1-1', '4-7-1'],
      last: 2,
    });
  });

  it('names the highest epoch of each lane that anything names', () => {
    const journal = journalTo(0, { epochs: { '0': 7 } });
    const { epochs } = planIndex(journal, found('1-0-1', '1-1-1', '9-0-2'), CODECS);
    expect(epochs).toEqual({ '0': 7, '1': 1 });
  });
});
