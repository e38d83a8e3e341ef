import { describe, expect, it } from 'vitest';
import { ClipPlans } from '../../../src/api/clip-plans.ts';
import type { Recording } from '../../../src/model/recording.ts';
import type { SegmentEntry } from '../../../src/model/segment.ts';
import {
  SAMPLE_ORIGIN_MS as ORIGIN,
  sampleEntry,
  sampleRecording,
} from '../../support/sample-records.ts';

const clip = {
  id: 'h',
  recordingId: 'r',
  window: { startMs: ORIGIN + 4000, endMs: ORIGIN + 8000 },
};
const never = (): AbortSignal => new AbortController().signal;

/** Readings are shared within a turn of the event loop only. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Plans over an index in memory, which counts how often it is read and who listens. */
function open(change: Partial<Recording> = {}): {
  plans: ClipPlans;
  entries: SegmentEntry[];
  counts: { reads: number; records: number; listeners: number };
  tell: () => void;
  update: (change: Partial<Recording>) => void;
} {
  const entries: SegmentEntry[] = [];
  const listeners = new Set<() => void>();
  const counts = { reads: 0, records: 0, listeners: 0 };
  let recording = sampleRecording({ id: 'r', state: 'recording', originMs: ORIGIN, ...change });
  const plans = new ClipPlans({
    recordings: {
      get: async () => {
        counts.records += 1;
        return recording;
      },
    },
    index: {
      readNumbers: async (_id, first, last) => {
        counts.reads += 1;
        return {
          decided: entries.at(-1)?.n ?? -1,
          entries: entries.filter(({ n }) => n >= first && n <= last),
        };
      },
      subscribe: async (_id, onChanged) => {
        listeners.add(onChanged);
        counts.listeners = listeners.size;
        return {
          close: async () => {
            listeners.delete(onChanged);
            counts.listeners = listeners.size;
          },
        };
      },
    },
    settle: async () => undefined,
  });
  return {
    plans,
    entries,
    counts,
    tell: () => {
      for (const listener of listeners) listener();
    },
    update: (next) => (recording = { ...recording, ...next }),
  };
}

describe('how a clip stands', () => {
  it('is read for each who asks while it grows, and never again once it is over', async () => {
    const { plans, entries, counts } = open();
    entries.push(sampleEntry(2), sampleEntry(3));
    expect((await plans.find(clip)).isOver).toBe(false);
    entries.push(sampleEntry(4));
    await nextTurn();
    expect((await plans.find(clip)).isOver).toBe(true);
    expect(counts.reads).toBe(2);
    await nextTurn();
    await plans.find(clip);
    expect(counts.reads).toBe(2);
    expect(plans.findOver('h')).toMatchObject({ recordingId: 'r', window: clip.window });
  });

  it('is read anew when its window has changed', async () => {
    const { plans, entries } = open();
    entries.push(...[2, 3, 4, 5].map((n) => sampleEntry(n)));
    await plans.find(clip);
    const grown = { ...clip, window: { ...clip.window, endMs: ORIGIN + 9_600 } };
    expect((await plans.find(grown)).entries.map(({ n }) => n)).toEqual([2, 3, 4, 5]);
  });

  it('is known without the recording’s record, once its origin is', async () => {
    const { plans, entries, counts } = open();
    entries.push(...[2, 3, 4, 5].map((n) => sampleEntry(n)));
    await plans.find(clip);
    const { records } = counts;
    await plans.find({ ...clip, id: 'another' });
    expect(counts.records).toBe(records);
  });
});

describe('a first segment', () => {
  const wait = { waitMs: 5_000, signal: never };

  it('is read once for all who wait for it', async () => {
    const { plans, entries, counts, tell } = open();
    const waiting = Array.from({ length: 100 }, () =>
      plans.waitForFirst(clip, { ...wait, signal: () => new AbortController().signal }),
    );
    await expect.poll(() => counts.listeners).toBe(100);
    // All have looked once more since they began to listen.
    await nextTurn();
    const { reads } = counts;
    expect(reads).toBeLessThan(5);
    entries.push(sampleEntry(2));
    tell();
    const plansThen = await Promise.all(waiting);
    expect(plansThen.every(({ playlist }) => playlist?.segments.length === 1)).toBe(true);
    expect(counts.reads).toBe(reads + 1);
    await expect.poll(() => counts.listeners).toBe(0);
  });

  it('is not waited for when there is one, or none can come', async () => {
    const { plans, entries, counts, update } = open();
    entries.push(sampleEntry(2));
    expect((await plans.waitForFirst(clip, wait)).bounds).not.toBeNull();
    const other = {
      ...clip,
      id: 'other',
      window: { startMs: ORIGIN + 90_000, endMs: ORIGIN + 91_000 },
    };
    update({ state: 'completed' });
    expect(await plans.waitForFirst(other, wait)).toMatchObject({ isOver: true, bounds: null });
    expect(counts.listeners).toBe(0);
  });

  it('is waited for no longer than asked, and not for one who has gone', async () => {
    const { plans, counts } = open();
    expect(await plans.waitForFirst(clip, { waitMs: 1, signal: never })).toMatchObject({
      playlist: undefined,
      isOver: false,
    });
    const gone = new AbortController();
    const waiting = plans.waitForFirst(clip, { waitMs: 60_000, signal: () => gone.signal });
    await expect.poll(() => counts.listeners).toBe(1);
    gone.abort();
    expect((await waiting).playlist).toBeUndefined();
    await expect.poll(() => counts.listeners).toBe(0);
  });

  it('is waited for while the recording has no origin yet', async () => {
    const { plans, entries, counts, tell, update } = open({ originMs: null, state: 'starting' });
    const waiting = plans.waitForFirst(clip, wait);
    await expect.poll(() => counts.listeners).toBe(1);
    update({ originMs: ORIGIN, state: 'recording' });
    entries.push(sampleEntry(2));
    tell();
    expect((await waiting).playlist?.mediaSequence).toBe(2);
  });
});
