import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import {
  completeSegment,
  type CompletedSegment,
} from '../../../src/media/mpegts/complete-segment.ts';
import { hashSegmentCodec } from '../../../src/media/mpegts/codec-hash.ts';
import { writeMediaPlaylist } from '../../../src/media/playlist.ts';
import {
  SAMPLES_PER_SEGMENT,
  SEGMENT_MS,
  SEGMENT_TICKS,
  segmentPts90k,
  segmentStartMs,
  slotTicks,
} from '../../../src/model/grid.ts';
import { verifyTarget } from '../../../src/verify/verify.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { decodeSound, readCounters } from '../highlight/clip-reader.ts';
import { FPS, makeCounterSource, type CounterSource } from '../highlight/counter-source.ts';

const SEGMENTS = 3;
/** The one whose maker dies. */
const CUT = 1;
const SLOTS = 48;
const GRID = { pts90k: segmentPts90k(CUT), slotTicks: slotTicks(FPS) };
/** Sound fades out with the overlap of the last frame there is: below −80 dBFS two frames later. */
const SILENT = 1e-4;
const FADE_SAMPLES = 2048;

const resources = new Resources();
let source: CounterSource;
let folder: string;

beforeAll(async () => {
  folder = resources.use(await makeTempFolder('complete')).path;
  const every = Array.from({ length: SLOTS }, (_, slot) => slot);
  source = await makeCounterSource({
    segments: SEGMENTS,
    slotsOf: () => every,
    profile: 'baseline',
  });
});
afterAll(() => resources.close());

function bytesOf(n: number): Buffer {
  return source.segments[n]?.bytes ?? Buffer.of();
}

/** The recording with segment 1 replaced. */
async function writeRecording(name: string, replaced: Buffer): Promise<string> {
  const segments = source.segments.map(({ n }) => ({
    uri: `${name}-${n}.ts`,
    startMs: segmentStartMs(n, source.originMs),
    durationMs: SEGMENT_MS,
  }));
  for (const { n } of source.segments) {
    await writeFile(path.join(folder, `${name}-${n}.ts`), n === CUT ? replaced : bytesOf(n));
  }
  const playlist = path.join(folder, `${name}.m3u8`);
  const options = { mediaSequence: 0, type: 'VOD', ended: true } as const;
  await writeFile(playlist, writeMediaPlaylist({ ...options, segments }));
  return playlist;
}

describe('completeSegment', () => {
  // Anywhere: within a packet, after the first picture, in the middle, nearly whole.
  it.each([0.2, 0.573, 0.97])(
    'makes a whole segment of the first %d of one, that breaks no rule',
    async (share) => {
      const beginning = bytesOf(CUT).subarray(0, Math.round(bytesOf(CUT).length * share));
      const completed = completeSegment(beginning, GRID) as CompletedSegment;
      expect(completed.summary.bytes).toBe(completed.bytes.length);
      expect(hashSegmentCodec(completed.bytes)).toBe(hashSegmentCodec(bytesOf(CUT)));
      const playlist = await writeRecording(`share-${share}`, completed.bytes);
      const { violations } = await verifyTarget(playlist, { decode: true });
      expect(violations).toEqual([]);

      // Pictures go on to where the beginning ends; then the last one is held.
      const captured = completed.pictureTicks / GRID.slotTicks;
      expect(captured / SLOTS).toBeGreaterThan(share - 0.25);
      const counters = await readCounters(playlist);
      const kept = source.slots.slice(0, SLOTS + captured);
      const held = counters.slice(kept.length, counters.length - SLOTS);
      expect(counters.slice(0, kept.length)).toEqual(kept);
      expect(held.length).toBeGreaterThanOrEqual(captured < SLOTS ? 1 : 0);
      expect(new Set(held)).toEqual(new Set(held.length > 0 ? [kept.at(-1)] : []));
      expect(counters.slice(-SLOTS)).toEqual(source.slots.slice(-SLOTS));

      const pcm = await decodeSound(playlist);
      const soundEnds = SAMPLES_PER_SEGMENT * (CUT + completed.soundTicks / SEGMENT_TICKS);
      const from = 2 * (soundEnds + FADE_SAMPLES);
      const silence = pcm.subarray(from, 2 * SAMPLES_PER_SEGMENT * (CUT + 1));
      expect(silence.reduce((max, sample) => Math.max(max, Math.abs(sample)), 0)).toBeLessThan(
        SILENT,
      );
    },
  );

  it('makes nothing of what has no picture, is not ours, or is another profile', async () => {
    expect(completeSegment(Buffer.of(), GRID)).toBeUndefined();
    expect(completeSegment(bytesOf(CUT).subarray(0, 188 * 2), GRID)).toBeUndefined();
    expect(completeSegment(Buffer.alloc(188 * 50, 7), GRID)).toBeUndefined();
    expect(completeSegment(bytesOf(CUT + 1).subarray(0, 188 * 90), GRID)).toBeUndefined();
    const high = await makeCounterSource({
      segments: 1,
      slotsOf: () => [0, 20, 47],
      profile: 'high',
    });
    const [first] = high.segments;
    const grid = { ...GRID, pts90k: segmentPts90k(0) };
    expect(
      completeSegment(first?.bytes.subarray(0, 188 * 30) ?? Buffer.of(), grid),
    ).toBeUndefined();
  });
});
