import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Closable } from '../../src/lifecycle.ts';
import type { SegmentIndex } from '../../src/storage/segment-index.ts';
import { sampleEntry } from '../support/sample-records.ts';

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

    it('keeps entries in order, at stable positions, with holes left out', async () => {
      for (const n of [0, 1, 5]) {
        expect(await index.append('order', sampleEntry(n))).toEqual({ appended: true });
      }
      expect(await index.append('order', sampleEntry(3))).toEqual(TAKEN);
      expect(await index.count('order')).toBe(3);
      expect(await index.read('order')).toEqual([0, 1, 5].map((n) => sampleEntry(n)));
      expect(await index.read('order', 2)).toEqual([sampleEntry(5)]);
      expect(await index.read('order', 3)).toEqual([]);
      expect(await index.read('nobody')).toEqual([]);
    });

    it('answers the same append again with yes, wherever it stands by now', async () => {
      for (let n = 0; n < 9; n += 2) await index.append('again', sampleEntry(n));
      expect(await index.append('again', sampleEntry(8))).toEqual({ appended: true });
      expect(await index.append('again', sampleEntry(2))).toEqual({ appended: true });
      await index.append('again', sampleEntry(9, { epoch: 2 }));
      expect(await index.append('again', sampleEntry(6))).toEqual({ appended: true });
      expect(await index.count('again')).toBe(6);
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
      expect(await index.append('epochs', otherLane)).toEqual({ appended: true });
      expect(await index.append('epochs', sampleEntry(2, { epoch: 4 }))).toEqual({
        appended: true,
      });
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
      expect(await index.append('forget', sampleEntry(0))).toEqual({ appended: true });
    });
  });
}
