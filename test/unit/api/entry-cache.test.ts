import { expect, it } from 'vitest';
import { EntryCache } from '../../../src/api/entry-cache.ts';
import type { SegmentEntry } from '../../../src/model/segment.ts';
import type { SegmentIndex } from '../../../src/storage/index/segment-index.ts';
import { sampleEntry } from '../../support/sample-records.ts';

/** An index in memory that notes from where it is read. */
function openIndex(entries: SegmentEntry[]): { index: SegmentIndex; reads: number[] } {
  const reads: number[] = [];
  const index: SegmentIndex = {
    openEpoch: () => Promise.resolve(1),
    askTurn: async () => 'go' as const,
    append: async (_id, entry) => {
      entries.push(entry);
      return { appended: true };
    },
    read: async (_id, from = 0) => {
      reads.push(from);
      return entries.slice(from);
    },
    settle: async () => ({ last: entries.at(-1)?.n ?? -1, count: entries.length }),
    readAll: async () => entries,
    readAside: async () => [],
    readNumbers: async (_id, first, last) => ({
      decided: entries.at(-1)?.n ?? -1,
      entries: entries.filter(({ n }) => n >= first && n <= last),
    }),
    findLast: async () => entries.at(-1),
    subscribe: async () => ({ close: () => Promise.resolve() }),
    count: async () => entries.length,
    delete: async () => undefined,
  };
  return { index, reads };
}

it('asks only for what was appended since', async () => {
  const entries = [sampleEntry(0), sampleEntry(1)];
  const { index, reads } = openIndex(entries);
  const cache = new EntryCache(index);
  expect(await cache.read('r')).toHaveLength(2);
  entries.push(sampleEntry(2));
  expect((await cache.read('r')).map(({ n }) => n)).toEqual([0, 1, 2]);
  expect(reads).toEqual([0, 2]);
});

it('reads once for many who ask at once', async () => {
  const { index, reads } = openIndex([sampleEntry(0)]);
  const cache = new EntryCache(index);
  const all = await Promise.all([cache.read('r'), cache.read('r'), cache.read('r')]);
  expect(all.map((entries) => entries.length)).toEqual([1, 1, 1]);
  expect(reads).toEqual([0]);
});

it('reads again when a reading that is shared began too early', async () => {
  const entries = [sampleEntry(0)];
  const { index } = openIndex(entries);
  const cache = new EntryCache(index);
  const early = cache.read('r');
  entries.push(sampleEntry(1));
  expect(await cache.read('r', 2)).toHaveLength(2);
  await early;
});

it('finds a known number without asking, and asks for one it does not know alone', async () => {
  const entries = [sampleEntry(0)];
  const { index, reads } = openIndex(entries);
  const cache = new EntryCache(index);
  await cache.read('r');
  expect((await cache.find('r', 0))?.n).toBe(0);
  entries.push(sampleEntry(1));
  expect((await cache.find('r', 1))?.n).toBe(1);
  expect(await cache.find('r', 9)).toBeUndefined();
  expect(reads).toEqual([0]);
  cache.forget('r');
  await cache.read('r');
  expect(reads).toEqual([0, 0]);
});
