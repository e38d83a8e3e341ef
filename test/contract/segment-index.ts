import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Closable } from '../../src/lifecycle.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import { MISSED_MS, type SegmentIndex } from '../../src/storage/index/segment-index.ts';
import { sampleEntry } from '../support/sample-records.ts';

const APPENDED = { appended: true };
const TAKEN = { appended: false, reason: 'taken' };
const STALE = { appended: false, reason: 'stale-epoch' };

/** What every SegmentIndex promises. `open` gives an empty index; it is closed after the suite. */
export function describeSegmentIndex(
  name: string,
  open: () => Promise<Closable & { readonly segments: SegmentIndex }>,
): void {
  describe(`${name} is a segment index`, () => {
    let opened: Closable & { readonly segments: SegmentIndex };
    let index: SegmentIndex;
    beforeAll(async () => {
      opened = await open();
      index = opened.segments;
    });
    afterAll(() => opened.close());

    const numbers = async (id: string): Promise<number[]> =>
      (await index.read(id)).map(({ n }) => n);

    it('keeps entries in order, at stable positions', async () => {
      for (const n of [4, 5, 6]) {
        expect(await index.append('order', sampleEntry(n))).toEqual(APPENDED);
      }
      expect(await index.count('order')).toBe(3);
      expect(await index.read('order')).toEqual([4, 5, 6].map((n) => sampleEntry(n)));
      expect(await index.read('order', 2)).toEqual([sampleEntry(6)]);
      expect(await index.read('order', 3)).toEqual([]);
      expect(await index.read('nobody')).toEqual([]);
    });

    it('lets an entry wait for the numbers it leaves out, until they are there', async () => {
      for (const n of [0, 3, 2])
        expect(await index.append('wait', sampleEntry(n))).toEqual(APPENDED);
      expect(await numbers('wait')).toEqual([0]);
      expect((await index.readAll('wait')).map(({ n }) => n)).toEqual([0, 2, 3]);
      expect(await index.readAside('wait')).toEqual([sampleEntry(2), sampleEntry(3)]);
      expect(await index.append('wait', sampleEntry(3))).toEqual(APPENDED);
      expect(await index.append('wait', sampleEntry(3, { lane: 1 }))).toEqual(TAKEN);
      // Whoever fills the hole.
      await index.append('wait', sampleEntry(1, { lane: 1 }));
      expect(await numbers('wait')).toEqual([0, 1, 2, 3]);
      expect(await index.readAside('wait')).toEqual([]);
    });

    it('gives up what is left out when another owner takes over', async () => {
      for (const n of [0, 2]) await index.append('takeover', sampleEntry(n));
      await index.append('takeover', sampleEntry(5, { epoch: 2 }));
      expect(await numbers('takeover')).toEqual([0, 2, 5]);
      const late = sampleEntry(4, { lane: 1 });
      expect(await index.append('takeover', late)).toEqual({ appended: true, late: true });
      expect(await index.append('takeover', late)).toEqual(APPENDED);
      expect(await index.append('takeover', sampleEntry(4))).toEqual(TAKEN);
      // What was served stays as it is; the late one is in the whole.
      expect(await numbers('takeover')).toEqual([0, 2, 5]);
      expect((await index.readAll('takeover')).map(({ n }) => n)).toEqual([0, 2, 4, 5]);
    });

    it('gives up what is 10 s overdue, and no more', async () => {
      // Segment 3 ended 11 s ago, segment 4 9.4 s ago.
      const originMs = Date.now() - 11_000 - 4 * SEGMENT_MS;
      expect(await index.settle('overdue', { originMs })).toEqual({ last: -1, count: 0 });
      for (const n of [0, 2, 5]) await index.append('overdue', sampleEntry(n));
      expect(await index.settle('overdue', { originMs, endNumber: 1 })).toEqual({
        last: 0,
        count: 1,
      });
      expect(await index.settle('overdue', { originMs })).toEqual({ last: 3, count: 2 });
      expect(await numbers('overdue')).toEqual([0, 2]);
      expect(await index.append('overdue', sampleEntry(3))).toEqual({ appended: true, late: true });
      await index.append('overdue', sampleEntry(4));
      expect(await numbers('overdue')).toEqual([0, 2, 4, 5]);
    });

    it('decides all that waits when the recording is over', async () => {
      const originMs = Date.now();
      for (const n of [0, 3, 5]) await index.append('over', sampleEntry(n));
      expect(await index.settle('over', { originMs })).toEqual({ last: 0, count: 1 });
      expect(await index.settle('over', { originMs, isOver: true })).toEqual({ last: 5, count: 3 });
      expect(await numbers('over')).toEqual([0, 3, 5]);
    });

    it('answers the same append again with yes, wherever it stands by now', async () => {
      for (let n = 0; n < 9; n += 1) await index.append('again', sampleEntry(n, { lane: n % 2 }));
      expect(await index.append('again', sampleEntry(8))).toEqual(APPENDED);
      expect(await index.append('again', sampleEntry(3, { lane: 1 }))).toEqual(APPENDED);
      await index.append('again', sampleEntry(9, { epoch: 2 }));
      expect(await index.append('again', sampleEntry(6))).toEqual(APPENDED);
      expect(await index.count('again')).toBe(10);
    });

    it('takes what a dead owner had in its spool into holes, and only there', async () => {
      await index.append('spool', sampleEntry(0));
      await index.append('spool', sampleEntry(4, { epoch: 2 }));
      expect(await index.append('spool', sampleEntry(2))).toEqual(STALE);
      const salvaged = { isSalvaged: true };
      const late = { appended: true, late: true };
      expect(await index.append('spool', sampleEntry(2), salvaged)).toEqual(late);
      expect(await index.append('spool', sampleEntry(4), salvaged)).toEqual(TAKEN);
      expect(await index.append('spool', sampleEntry(5), salvaged)).toEqual(STALE);
      expect((await index.readAll('spool')).map(({ n }) => n)).toEqual([0, 2, 4]);
    });

    it('keeps to one of two lanes until that misses a segment', async () => {
      const lead = (n: number) => index.append('lanes', sampleEntry(n, { lane: 0 }));
      const turn = (n: number, lane: number, originMs = Date.now()) =>
        index.askTurn('lanes', { n, lane }, originMs);
      // Nobody has brought anything yet: the first lane leads.
      expect(await turn(0, 1)).toBe('wait');
      expect(await turn(0, 0)).toBe('go');
      await lead(0);
      expect(await turn(0, 1)).toBe('taken');
      expect(await turn(1, 1)).toBe('wait');
      // Ended a little less, and a little more, than two segments ago.
      expect(await turn(1, 1, Date.now() - 2 * SEGMENT_MS - MISSED_MS + 500)).toBe('wait');
      expect(await turn(1, 1, Date.now() - 2 * SEGMENT_MS - MISSED_MS - 100)).toBe('go');
      await index.append('lanes', sampleEntry(1, { lane: 1 }));
      expect(await lead(1)).toEqual(TAKEN);
      expect(await turn(2, 0)).toBe('wait');
      expect(await turn(2, 1)).toBe('go');
      // What leaves numbers out waits for the other lane.
      await lead(4);
      expect(await numbers('lanes')).toEqual([0, 1]);
      expect(await turn(4, 1)).toBe('taken');
    });

    it('lets one object stand for a number', async () => {
      await index.append('one', sampleEntry(0));
      expect(await index.append('one', sampleEntry(0, { lane: 1 }))).toEqual(TAKEN);
      expect(await index.read('one')).toEqual([sampleEntry(0)]);
    });

    it('shuts out an owner that has been followed, lane by lane', async () => {
      await index.append('epochs', sampleEntry(0, { epoch: 3 }));
      expect(await index.append('epochs', sampleEntry(1, { epoch: 2 }))).toEqual(STALE);
      const otherLane = sampleEntry(1, { lane: 1, epoch: 1 });
      expect(await index.append('epochs', otherLane)).toEqual(APPENDED);
      expect(await index.append('epochs', sampleEntry(2, { epoch: 4 }))).toEqual(APPENDED);
      expect(await index.append('epochs', sampleEntry(3, { epoch: 3 }))).toEqual(STALE);
    });

    it('gives one winner a number and stays in order under concurrent appends', async () => {
      const attempts = Array.from({ length: 40 }, (_, n) => [
        sampleEntry(n, { lane: 0 }),
        sampleEntry(n, { lane: 1 }),
      ]).flat();
      const results = await Promise.all(attempts.map((entry) => index.append('race', entry)));
      const entries = await index.read('race');
      expect(results.filter(({ appended }) => appended)).toHaveLength(entries.length);
      for (let i = 1; i < entries.length; i++) {
        expect(entries[i]?.n).toBeGreaterThan(entries[i - 1]?.n ?? Infinity);
      }
    });

    it('forgets a recording, and begins anew', async () => {
      await index.append('forget', sampleEntry(7, { epoch: 9 }));
      await index.delete('forget');
      expect(await index.count('forget')).toBe(0);
      expect(await index.append('forget', sampleEntry(0))).toEqual(APPENDED);
    });
  });
}
