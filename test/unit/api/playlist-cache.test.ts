import { describe, expect, it } from 'vitest';
import { EntryCache } from '../../../src/api/entry-cache.ts';
import { PlaylistCache } from '../../../src/api/playlist-cache.ts';
import type { GrowingPlaylist } from '../../../src/media/growing-playlist.ts';
import type { Recording } from '../../../src/model/recording.ts';
import type { SegmentEntry } from '../../../src/model/segment.ts';
import type {
  SegmentIndex,
  Settled,
  SettleOptions,
} from '../../../src/storage/index/segment-index.ts';
import { SAMPLE_ORIGIN_MS, sampleEntry, sampleRecording } from '../../support/sample-records.ts';

/** An index in memory, and a cache over it; what the index decides is the test's. */
function open(maxHeldBytes?: number): {
  cache: PlaylistCache;
  entries: SegmentEntry[];
  asked: SettleOptions[];
  decide: (settled: Settled) => void;
  setTime: (nowMs: number) => void;
} {
  const entries: SegmentEntry[] = [];
  const asked: SettleOptions[] = [];
  let settled: Settled | undefined;
  let nowMs = SAMPLE_ORIGIN_MS;
  const index: SegmentIndex = {
    openEpoch: async () => 1,
    askTurn: async () => 'go' as const,
    append: async () => ({ appended: true }),
    settle: async (_id, options) => {
      asked.push(options);
      return settled ?? { last: entries.at(-1)?.n ?? -1, count: entries.length };
    },
    read: async (_id, from = 0) => entries.slice(from),
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
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const options = maxHeldBytes === undefined ? {} : { maxHeldBytes };
  return {
    cache: new PlaylistCache({ entries: new EntryCache(index), index, clock, ...options }),
    entries,
    asked,
    decide: (decided) => (settled = decided),
    setTime: (ms) => (nowMs = SAMPLE_ORIGIN_MS + ms),
  };
}

function running(id: string, change: Partial<Recording> = {}): Recording {
  return sampleRecording({ id, state: 'recording', originMs: SAMPLE_ORIGIN_MS, ...change });
}

function textOf(playlist: GrowingPlaylist | undefined): string | undefined {
  const form = { extent: 'whole', isDelta: false, ended: false } as const;
  return playlist && Buffer.concat(playlist.write(form).pieces).toString();
}

describe('the cache of playlists', () => {
  it('only appends, and writes the same again after it had to forget', async () => {
    const roomy = open();
    const tight = open(1);
    const texts: string[] = [];
    for (let n = 0; n < 6; n++) {
      for (const { entries } of [roomy, tight]) entries.push(sampleEntry(n));
      const text = textOf(await roomy.cache.findServed(running('a'))) ?? '';
      expect(text.startsWith(texts.at(-1) ?? '#EXTM3U')).toBe(true);
      texts.push(text);
      // Of two recordings, room is for the one being asked for.
      expect(textOf(await tight.cache.findServed(running('a')))).toBe(text);
      expect(textOf(await tight.cache.findServed(running('b')))).toBe(text);
    }
  });

  it('asks the index to decide when a segment may be overdue, and shows what was decided', async () => {
    const { cache, entries, asked, decide, setTime } = open();
    entries.push(sampleEntry(0));
    await cache.findServed(running('a'));
    // Segment 1 ends at 3.2 s and is overdue at 13.2 s; the clocks may differ by some seconds.
    setTime(8000);
    await cache.findServed(running('a'));
    expect(asked).toEqual([]);
    setTime(8300);
    decide({ last: 2, count: 1 });
    const text = textOf(await cache.findServed(running('a')));
    expect(asked).toHaveLength(1);
    expect(text?.match(/#EXT-X-GAP/g)).toHaveLength(2);
  });

  it('has nothing given up behind the end of a recording', async () => {
    const { cache, entries, asked, setTime } = open();
    entries.push(sampleEntry(0));
    setTime(60_000);
    // Stopped within segment 4; the longest is 3 s, which ends in segment 1, and one more is allowed for.
    await cache.findServed(running('a', { stopRequestedAtMs: SAMPLE_ORIGIN_MS + 6500 }));
    const { settings } = running('a');
    await cache.findServed(running('b', { settings: { ...settings, maxDurationMs: 3000 } }));
    expect(asked.map(({ endNumber }) => endNumber)).toEqual([5, 3]);
    await cache.findServed(running('c', { state: 'completed' }));
    expect(asked.at(-1)?.isOver).toBe(true);
  });

  it('writes a final playlist anew when more media has come', async () => {
    const { cache, entries } = open();
    const over = running('a', { state: 'completed' });
    expect(await cache.findFinal(over)).toBeUndefined();
    entries.push(sampleEntry(0), sampleEntry(2));
    const first = await cache.findFinal(over);
    expect(await cache.findFinal(over)).toBe(first);
    entries.splice(1, 0, sampleEntry(1));
    const text = textOf(await cache.findFinal(over));
    expect(text).not.toContain('EXT-X-GAP');
    expect(text).toContain('PLAYLIST-TYPE:VOD');
  });
});
