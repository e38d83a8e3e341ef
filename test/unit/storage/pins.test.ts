import { describe, expect, it } from 'vitest';
import { SEGMENT_MS } from '../../../src/model/grid.ts';
import type { Highlight } from '../../../src/model/highlight.ts';
import { pinnedEntries } from '../../../src/storage/removal/pins.ts';
import { sampleEntry, sampleHighlight, SAMPLE_ORIGIN_MS } from '../../support/sample-records.ts';

const entries = [0, 1, 2, 3, 6, 7, 8].map((n) => sampleEntry(n));

/** A highlight that asked for a span of ms after the origin, and got it. */
function asked(startMs: number, endMs: number, change: Partial<Highlight> = {}): Highlight {
  const window = { startMs: SAMPLE_ORIGIN_MS + startMs, endMs: SAMPLE_ORIGIN_MS + endMs };
  const span = { triggeredAtMs: window.startMs, beforeMs: 0, afterMs: endMs - startMs };
  return sampleHighlight({ window, ...span, ...change });
}

function pinned(...highlights: Highlight[]): number[] {
  return pinnedEntries(entries, SAMPLE_ORIGIN_MS, highlights).map(({ n }) => n);
}

describe('a highlight without media of its own', () => {
  it('pins the segments its window touches, and the last one before', () => {
    expect(pinned(asked(2 * SEGMENT_MS, 3 * SEGMENT_MS))).toEqual([1, 2]);
    expect(pinned(asked(2 * SEGMENT_MS, 3 * SEGMENT_MS + 1))).toEqual([1, 2, 3]);
    expect(pinned(asked(2 * SEGMENT_MS - 1, 3 * SEGMENT_MS))).toEqual([0, 1, 2]);
    expect(pinned(asked(0, 100))).toEqual([0]);
  });

  it('pins the picture that is held where its window begins in a hole', () => {
    expect(pinned(asked(5 * SEGMENT_MS, 7 * SEGMENT_MS))).toEqual([3, 6]);
    expect(pinned(asked(4 * SEGMENT_MS, 6 * SEGMENT_MS))).toEqual([3]);
  });

  it('pins what it asked for as long as its window may be cut anew from that', () => {
    const narrow = { startMs: SAMPLE_ORIGIN_MS + 3000, endMs: SAMPLE_ORIGIN_MS + 3100 };
    expect(pinned(asked(0, 4 * SEGMENT_MS, { window: narrow }))).toEqual([0, 1, 2, 3]);
    const wide = { startMs: SAMPLE_ORIGIN_MS, endMs: SAMPLE_ORIGIN_MS + 4 * SEGMENT_MS };
    expect(pinned(asked(3000, 3100, { window: wide }))).toEqual([0, 1, 2, 3]);
  });

  it('keeps its segments when its clip failed, and lets go of them when it is there', () => {
    const span = [2 * SEGMENT_MS, 3 * SEGMENT_MS] as const;
    for (const state of ['open', 'assembling', 'failed'] as const) {
      expect(pinned(asked(...span, { state }))).toEqual([1, 2]);
    }
    expect(pinned(asked(...span, { state: 'completed' }))).toEqual([]);
    expect(pinned(asked(...span), asked(0, 1), asked(0, 1e6, { state: 'completed' }))).toEqual([
      0, 1, 2,
    ]);
  });

  it('pins nothing of a recording that never had a picture', () => {
    expect(pinnedEntries([], null, [asked(0, 1000)])).toEqual([]);
  });
});
