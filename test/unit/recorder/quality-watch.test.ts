import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QualityWatch } from '../../../recorder/report/quality-watch.ts';

/** The recording's origin and its first picture, Unix ms. */
const ORIGIN_MS = 1_750_000_000_000;
const BEGIN_MS = ORIGIN_MS + 500;
const BEAT_MS = 250;

let quality: QualityWatch;
let nowMs: number;

beforeEach(() => {
  vi.useFakeTimers();
  nowMs = BEGIN_MS;
  quality = new QualityWatch(() => nowMs);
  quality.begin(ORIGIN_MS, BEGIN_MS);
});
afterEach(async () => {
  await quality.close();
  vi.useRealTimers();
});

/** Lets time pass up to `offsetMs`, with beats unless the page is blocked. */
function passTo(offsetMs: number, page: 'blocked' | ((atMs: number) => number) = () => 0): void {
  while (nowMs < ORIGIN_MS + offsetMs) {
    nowMs += BEAT_MS;
    vi.advanceTimersByTime(BEAT_MS);
    if (page !== 'blocked') quality.beat(page(nowMs));
  }
}

function frozen(): unknown {
  return quality.read(nowMs).frozen.spans;
}

describe('QualityWatch', () => {
  it('finds nothing while the page beats', () => {
    passTo(30_000);
    expect(quality.read(nowMs).frozen).toEqual({ count: 0, totalMs: 0, isOpen: false, spans: [] });
  });

  it('calls a page whose beacon is silent frozen, at once and afterwards', () => {
    passTo(5000);
    passTo(9000, 'blocked');
    expect(quality.read(nowMs).frozen).toEqual({
      count: 1,
      totalMs: 4000,
      isOpen: true,
      spans: [{ offsetMs: 5000, durationMs: 4000, cause: 'page' }],
    });
    passTo(20_000);
    expect(frozen()).toEqual([{ offsetMs: 5000, durationMs: 4250, cause: 'page' }]);
  });

  it('calls a page frozen that never beats', () => {
    passTo(4500, 'blocked');
    expect(frozen()).toEqual([{ offsetMs: 500, durationMs: 4000, cause: 'page' }]);
  });

  it('calls a video that stands frozen, from its last picture to its next', () => {
    passTo(5000);
    passTo(8000, (atMs) => atMs - ORIGIN_MS - 5000);
    expect(quality.read(nowMs).frozen.isOpen).toBe(true);
    passTo(8250, () => 100);
    passTo(20_000);
    expect(frozen()).toEqual([{ offsetMs: 5000, durationMs: 3150, cause: 'source' }]);
  });

  it('sees one standing picture though beats come unevenly', () => {
    passTo(5000);
    for (const lateMs of [0, 180, 30, 240, 0, 90, 10, 200, 120, 0, 60, 230]) {
      nowMs += BEAT_MS;
      const pageMs = nowMs;
      nowMs += lateMs;
      quality.beat(pageMs - ORIGIN_MS - 5000);
      nowMs = pageMs;
    }
    expect(frozen()).toMatchObject([{ cause: 'source' }]);
  });

  it('does not blame a video for the time its page stood still', () => {
    passTo(5000);
    passTo(10_000, 'blocked');
    // Drawn by the page, so that it stood as well.
    passTo(10_250, () => 5250);
    passTo(20_000);
    expect(frozen()).toEqual([{ offsetMs: 5000, durationMs: 5250, cause: 'page' }]);
  });

  it('calls a picture that stands still only while its page is alive', () => {
    passTo(5000);
    quality.take('still', ORIGIN_MS + 4000, null);
    expect(quality.read(nowMs).still.count).toBe(0);
    passTo(8000);
    expect(quality.read(nowMs).still).toMatchObject({ count: 1, totalMs: 4000, isOpen: true });
    passTo(12_000, 'blocked');
    expect(quality.read(nowMs).still).toMatchObject({ count: 1, totalMs: 4000 });
    passTo(12_250);
    quality.take('still', ORIGIN_MS + 4000, ORIGIN_MS + 12_300);
    expect(quality.read(nowMs)).toMatchObject({
      still: { isOpen: false, spans: [{ offsetMs: 4000, durationMs: 4000 }] },
      frozen: { spans: [{ offsetMs: 8000, durationMs: 4250 }] },
    });
  });

  it('keeps what is told of picture and sound, from the origin on', () => {
    quality.take('black', ORIGIN_MS + 3000, null);
    quality.take('silent', ORIGIN_MS + 2000, null);
    quality.take('black', ORIGIN_MS + 3000, ORIGIN_MS + 6000);
    passTo(9000);
    expect(quality.read(nowMs)).toMatchObject({
      black: { count: 1, totalMs: 3000, isOpen: false },
      silent: { count: 1, totalMs: 7000, isOpen: true },
    });
  });
});
