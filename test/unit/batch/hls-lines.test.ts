import { describe, expect, it } from 'vitest';
import { HlsLines } from '../../../src/batch/join/hls-lines.ts';
import { HlsGrouper, type JoinBlock } from '../../../src/batch/join/join-block.ts';

const data = new Uint8Array();

function block(index: number, { isKey = true, isHole = false } = {}): JoinBlock {
  const picture = { pts: 0, decodeAt: 0, duration: 3000, isKey, data };
  return { index, isHole, pictures: isHole ? [] : [picture], frames: [] };
}

/** Numbers of the blocks in each group. */
function group(blocks: readonly JoinBlock[]): number[][] {
  const grouper = new HlsGrouper();
  const groups = [...blocks.map((one) => grouper.push(one)), grouper.flush()];
  return groups.flatMap((found) => (found === undefined ? [] : [found.map(({ index }) => index)]));
}

describe('HlsGrouper', () => {
  it('makes segments of 6.4 s that begin with an IDR picture', () => {
    const gopsOfTwo = Array.from({ length: 10 }, (_, i) => block(i, { isKey: i % 2 === 0 }));
    expect(group(gopsOfTwo)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
  });

  it('makes them longer where a GOP is', () => {
    const gopsOfSix = Array.from({ length: 12 }, (_, i) => block(i, { isKey: i % 6 === 0 }));
    expect(group(gopsOfSix)).toEqual([
      [0, 1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10, 11],
    ]);
  });

  it('ends one ahead of a hole', () => {
    const blocks = [block(0), block(1), block(2, { isHole: true }), block(3), block(4)];
    expect(group(blocks)).toEqual([
      [0, 1],
      [3, 4],
    ]);
  });
});

describe('HlsLines', () => {
  it('writes byte ranges of one file with their dates, and gaps', () => {
    const lines = new HlsLines('media.ts', 1_750_000_000_000);
    lines.add([block(0), block(1)], { offset: 0, length: 4000 });
    lines.addGap(block(2, { isHole: true }));
    lines.add([block(3)], { offset: 4000, length: 1000 });
    expect(lines.toText().split('\n').slice(6)).toEqual([
      '#EXT-X-PROGRAM-DATE-TIME:2025-06-15T15:06:40.000Z',
      '#EXTINF:3.2,',
      '#EXT-X-BYTERANGE:4000@0',
      'media.ts',
      '#EXT-X-GAP',
      '#EXT-X-PROGRAM-DATE-TIME:2025-06-15T15:06:43.200Z',
      '#EXTINF:1.6,',
      'gap-2.ts',
      '#EXT-X-PROGRAM-DATE-TIME:2025-06-15T15:06:44.800Z',
      '#EXTINF:1.6,',
      '#EXT-X-BYTERANGE:1000@4000',
      'media.ts',
      '#EXT-X-ENDLIST',
      '',
    ]);
    expect(lines.rates).toEqual({ peak: 10_000, mean: (5000 * 8000) / 4800 });
  });
});
