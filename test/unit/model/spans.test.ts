import { describe, expect, it } from 'vitest';
import {
  joinSpans,
  MIN_SPAN_MS,
  NO_SPANS,
  SpanList,
  SpanWatch,
  subtractRanges,
} from '../../../src/model/spans.ts';

type Told = readonly [what: 'begun' | 'ended', ...times: number[]];

function watch(): { readonly watch: SpanWatch; readonly told: Told[] } {
  const told: Told[] = [];
  const events = {
    onBegun: (startMs: number) => told.push(['begun', startMs]),
    onEnded: (startMs: number, endMs: number) => told.push(['ended', startMs, endMs]),
  };
  return { watch: new SpanWatch(events), told };
}

describe('SpanWatch', () => {
  it('tells of a span when it is long enough, with its true start, and again at its end', () => {
    const { watch: spans, told } = watch();
    spans.sign(1000);
    spans.advance(1000 + MIN_SPAN_MS - 1);
    expect(told).toEqual([]);
    spans.advance(1000 + MIN_SPAN_MS);
    spans.advance(1000 + MIN_SPAN_MS + 500);
    expect(told).toEqual([['begun', 1000]]);
    spans.sign(5000);
    expect(told.slice(1)).toEqual([['ended', 1000, 5000]]);
  });

  it('says nothing of shorter ones, nor while nothing is expected', () => {
    const { watch: spans, told } = watch();
    spans.advance(50_000);
    for (let atMs = 0; atMs < 20_000; atMs += MIN_SPAN_MS - 1) spans.sign(atMs);
    expect(told).toEqual([]);
  });

  it('finds a span that nobody asked about while it lasted', () => {
    const { watch: spans, told } = watch();
    spans.sign(0);
    spans.sign(3000);
    expect(told).toEqual([
      ['begun', 0],
      ['ended', 0, 3000],
    ]);
  });

  it('ignores a sign from before the last one', () => {
    const { watch: spans, told } = watch();
    spans.sign(1000);
    spans.sign(400);
    spans.sign(2900);
    expect(told).toEqual([]);
  });
});

describe('SpanList', () => {
  it('lists the latest and counts all', () => {
    const list = new SpanList();
    for (let i = 0; i < 500; i += 1) list.add({ startMs: 10_000 * i, endMs: 10_000 * i + 2500 });
    const { count, totalMs, isOpen, spans } = list.summary(-1000, []);
    expect({ count, totalMs, isOpen, listed: spans.length }).toEqual({
      count: 500,
      totalMs: 500 * 2500,
      isOpen: false,
      listed: 50,
    });
    expect(spans.at(-1)).toEqual({ offsetMs: 499 * 10_000 + 1000, durationMs: 2500 });
  });

  it('shows what goes on as it stands', () => {
    const list = new SpanList();
    list.add({ startMs: 0, endMs: 2000 }, 'page');
    expect(list.summary(0, [{ startMs: 5000, endMs: 9000, cause: 'source' }])).toEqual({
      count: 2,
      totalMs: 6000,
      isOpen: true,
      spans: [
        { offsetMs: 0, durationMs: 2000, cause: 'page' },
        { offsetMs: 5000, durationMs: 4000, cause: 'source' },
      ],
    });
  });
});

describe('subtractRanges', () => {
  const range = { startMs: 0, endMs: 20_000 };

  it('cuts others out and leaves pieces that are worth a span', () => {
    const cuts = [
      { startMs: 12_000, endMs: 18_500 },
      { startMs: 5000, endMs: 6000 },
    ];
    expect(subtractRanges(range, cuts)).toEqual([
      { startMs: 0, endMs: 5000 },
      { startMs: 6000, endMs: 12_000 },
    ]);
  });

  it('leaves nothing of what is covered, all of what is not', () => {
    expect(subtractRanges(range, [{ startMs: -5, endMs: 30_000 }])).toEqual([]);
    expect(subtractRanges(range, [{ startMs: 20_000, endMs: 30_000 }])).toEqual([range]);
  });

  it('survives cuts that lie in each other', () => {
    const cuts = [
      { startMs: 2000, endMs: 15_000 },
      { startMs: 3000, endMs: 4000 },
    ];
    expect(subtractRanges(range, cuts)).toEqual([
      { startMs: 0, endMs: 2000 },
      { startMs: 15_000, endMs: 20_000 },
    ]);
  });
});

describe('joinSpans', () => {
  it("puts one worker's spans after another's", () => {
    const earlier = {
      count: 1,
      totalMs: 3000,
      isOpen: true,
      spans: [{ offsetMs: 0, durationMs: 3000 }],
    };
    const later = {
      count: 1,
      totalMs: 2000,
      isOpen: false,
      spans: [{ offsetMs: 9000, durationMs: 2000 }],
    };
    expect(joinSpans(earlier, later)).toEqual({
      count: 2,
      totalMs: 5000,
      isOpen: false,
      spans: [...earlier.spans, ...later.spans],
    });
    expect(joinSpans(NO_SPANS, later)).toEqual(later);
  });
});
