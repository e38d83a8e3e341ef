import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ClipAssembly, type AssembledClip } from '../../../highlight/clip-assembly.ts';
import { Gate } from '../../../highlight/gate.ts';
import { readSegment } from '../../../src/media/mpegts/segment-reader.ts';
import { createSegmentWriter } from '../../../src/media/mpegts/segment-writer.ts';
import { segmentPts90k } from '../../../src/model/grid.ts';
import { verifyTarget } from '../../../src/verify/verify.ts';
import { cutClip, segmentInMemory } from '../../support/cut-clip.ts';
import { probeMedia } from '../../support/probe.ts';
import { decodeSound, readClip, readCounters } from './clip-reader.ts';
import {
  makeCounterSource,
  type CounterSource,
  type CounterSourceOptions,
} from './counter-source.ts';

/** Each test runs several ffmpeg processes; a busy machine takes seconds for what a free one does in one. */
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const SLOTS_PER_SEGMENT = 48;
const SEGMENTS = 6;
/** What is asked for of a segment's end to find its index, 3 kB, is a share of these small segments. */
const MAX_TAIL_SHARE = 0.1;
/** Two decoders of one stream in one program give the same floats; the rest is room for its vector code. */
const PCM_TOLERANCE = 1e-5;
/** The recording's first frame has no frame before it to overlap with: the one known seam. */
const FIRST_EXACT_SAMPLE = 1024;

const everySlot = (): number[] => Array.from({ length: SLOTS_PER_SEGMENT }, (_, slot) => slot);
const sparse = (n: number): number[] =>
  everySlot().filter((slot) => slot === 0 || slot > 45 || (slot * 7 + n * 5) % 6 === 0);

let folder: string;
let dense: CounterSource;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'chalkreel-clip-'));
  dense = await makeSource({ slotsOf: everySlot, profile: 'baseline' });
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

function makeSource(options: Omit<CounterSourceOptions, 'segments'>): Promise<CounterSource> {
  return makeCounterSource({ segments: SEGMENTS, ...options });
}

type Cut = {
  startMs: number;
  endMs: number;
  posterAtMs?: number;
  without?: readonly number[];
  preparedUpTo?: readonly number[];
};

function cut(source: CounterSource, options: Cut, signal?: AbortSignal): Promise<AssembledClip> {
  const { originMs, segments } = source;
  const { startMs, endMs, posterAtMs, without = [], preparedUpTo = [] } = options;
  return cutClip({
    folder,
    originMs,
    window: { startMs: originMs + startMs, endMs: originMs + endMs },
    segments: segments
      .filter(({ n }) => !without.includes(n))
      .map((segment) => segmentInMemory(segment)),
    ...(posterAtMs === undefined ? {} : { posterAtMs: originMs + posterAtMs }),
    preparedUpTo,
    signal,
  });
}

/** The slots a clip must show, and when: computed from the recording, not from the plan. */
function expected(source: CounterSource, { startMs, endMs, without = [] }: Cut) {
  const slots = source.slots.filter(
    (slot) => !without.includes(Math.floor(slot / SLOTS_PER_SEGMENT)),
  );
  const held = slots.filter((slot) => slot * 3000 <= startMs * 90).at(-1)!;
  const later = slots.filter((slot) => slot * 3000 > startMs * 90 && slot * 3000 < endMs * 90);
  const times = [0, ...later.map((slot) => slot * 3000 - startMs * 90)];
  const durations = times.map((time, i) => (times[i + 1] ?? (endMs - startMs) * 90) - time);
  return { counters: [held, ...later], times, durations };
}

async function expectExact(source: CounterSource, options: Cut): Promise<AssembledClip> {
  const clip = await cut(source, options);
  const read = await readClip(clip.file);
  const { counters, times, durations } = expected(source, options);
  expect(read.counters).toEqual(counters);
  expect(read.times).toEqual(times);
  expect(read.durations).toEqual(durations);
  expect(clip.pictures.reencoded + clip.pictures.copied).toBe(counters.length);
  read.slices.forEach((slices, i) => {
    if (i < clip.pictures.reencoded) return;
    expect(slices.map(digest)).toEqual(source.slices.get(counters[i]!)!.map(digest));
  });
  expectSound(source, options, read.pcm);
  return clip;
}

/** Where the null packets at a segment's end begin. */
function endOfMedia(bytes: Buffer): number {
  let end = bytes.length;
  while (bytes.readUInt16BE(end - 187) === 0x1fff) end -= 188;
  return end;
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function expectSound(
  source: CounterSource,
  { startMs, endMs, without = [] }: Cut,
  pcm: Float32Array,
): void {
  const frames = (endMs - startMs) * 48;
  expect(pcm.length / 2).toBeGreaterThanOrEqual(frames);
  // the last AAC frame may reach beyond the window; the edit's end is for the player
  expect(pcm.length / 2 - frames).toBeLessThan(1024);
  let worst = 0;
  for (let i = 0; i < frames; i++) {
    const sample = startMs * 48 + i;
    const segment = Math.floor(sample / 76_800);
    const intoSegment = sample - segment * 76_800;
    if (sample < FIRST_EXACT_SAMPLE) continue;
    const isSilent = without.includes(segment);
    // the frame after a seam overlaps with another frame than it was made with
    const isSeam = intoSegment < 1024 && (isSilent || without.includes(segment - 1));
    if (isSeam) continue;
    const want = isSilent ? 0 : source.pcm[sample * 2]!;
    worst = Math.max(worst, Math.abs(pcm[i * 2]! - want));
  }
  expect(worst).toBeLessThan(PCM_TOLERANCE);
}

/** Another encoder, with other parameter sets under the same ids, makes the segments from number 3 on. */
async function makeTakeover(): Promise<CounterSource> {
  const x264 = ':deblock=1,1:cabac=0:qpmin=10';
  const other = await makeSource({ slotsOf: everySlot, profile: 'main', x264 });
  const isOther = (n: number): boolean => n >= 3;
  const slices = dense.slots.map((slot) => {
    const maker = isOther(Math.floor(slot / SLOTS_PER_SEGMENT)) ? other : dense;
    return [slot, maker.slices.get(slot)!] as const;
  });
  return {
    ...dense,
    segments: dense.segments.map((segment, n) => (isOther(n) ? other.segments[n]! : segment)),
    slices: new Map(slices),
  };
}

/** The same segment without its pictures, as a recorder of sound alone writes it. */
function soundAlone({ n, bytes }: { readonly n: number; readonly bytes: Uint8Array }): {
  readonly n: number;
  readonly bytes: Buffer;
} {
  const chunks: Uint8Array[] = [];
  const writer = createSegmentWriter({
    pts90k: segmentPts90k(n),
    slotTicks: undefined,
    write: (packets) => chunks.push(packets),
  });
  for (const { data } of readSegment(bytes).audioFrames) writer.writeAudio(data);
  writer.finish();
  return { n, bytes: Buffer.concat(chunks) };
}

/** Windows spread over the recording, the same in each run. */
function windows(count: number): Cut[] {
  const totalMs = SEGMENTS * 1600;
  return Array.from({ length: count }, (_, i) => {
    const startMs = (i * 1237 + 311) % (totalMs - 200);
    return { startMs, endMs: Math.min(totalMs, startMs + 150 + ((i * 977) % 4000)) };
  });
}

describe('ClipAssembly', () => {
  it.each(windows(6))('is exact from $startMs to $endMs ms', async (window) => {
    const clip = await expectExact(dense, window);
    expect(clip.holes).toEqual([]);
    expect(clip.durationMs).toBe(window.endMs - window.startMs);
  });

  it('is exact where slots are empty: the held picture first, every recorded one after it', async () => {
    const source = await makeSource({ slotsOf: sparse, profile: 'high' });
    for (const window of windows(3)) await expectExact(source, window);
  });

  it('encodes nothing anew when the window starts on a key picture', async () => {
    const clip = await expectExact(dense, { startMs: 3200, endMs: 7000 });
    expect(clip.pictures.reencoded).toBe(0);
  });

  it('joins a head of a single picture', async () => {
    // slot 47 of segment 1 starts at 3166.7 ms
    const clip = await expectExact(dense, { startMs: 3170, endMs: 5000 });
    expect(clip.pictures.reencoded).toBe(1);
  });

  it('cuts a window within one GOP', async () => {
    const clip = await expectExact(dense, { startMs: 2000, endMs: 2400 });
    expect(clip.pictures.copied).toBe(0);
  });

  it('starts where the recording starts', async () => {
    await expectExact(dense, { startMs: 0, endMs: 1000 });
  });

  it('is exact across the wrap of the 33-bit clock', async () => {
    const source = await makeSource({
      slotsOf: everySlot,
      profile: 'main',
      ptsOrigin90k: 2 ** 33 - 2 * 144_000 - 30_000,
    });
    await expectExact(source, { startMs: 1000, endMs: 6000 });
  });

  it('holds the picture over a hole, silent, and says so', async () => {
    const clip = await expectExact(dense, { startMs: 1000, endMs: 7000, without: [2, 3] });
    expect(clip.holes).toEqual([{ startMs: 3200, endMs: 6400 }]);
  });

  it('shows the last picture before a hole when it starts in the hole', async () => {
    await expectExact(dense, { startMs: 2000, endMs: 5000, without: [1] });
  });

  it('copies the pictures of another encoder that took over, with their own parameter sets', async () => {
    const takeover = await makeTakeover();
    const clip = await expectExact(takeover, { startMs: 1700, endMs: 6000 });
    // segment 1 from 1700 ms on: 45 pictures before the next key picture
    expect(clip.pictures).toEqual({ reencoded: 45, copied: 84 });
    expect((await verifyTarget(clip.file, { decode: true })).violations).toEqual([]);
  });

  it('draws the poster of the asked moment', async () => {
    const clip = await cut(dense, { startMs: 1000, endMs: 6000, posterAtMs: 4321 });
    const file = path.join(folder, 'poster.jpg');
    await writeFile(file, clip.poster!);
    expect(await readCounters(file)).toEqual([Math.floor((4321 * 30) / 1000)]);
  });

  it('gives the same bytes for the same window', async () => {
    const window = { startMs: 1234, endMs: 4321 };
    const [one, two] = [await cut(dense, window), await cut(dense, window)];
    expect((await readFile(one.file)).equals(await readFile(two.file))).toBe(true);
    expect(one.poster!.equals(two.poster!)).toBe(true);
  });

  it('gives the same bytes by the segments’ own index as by parsing, for want of some or all of it', async () => {
    const stripped = (which: (n: number) => boolean): CounterSource => ({
      ...dense,
      segments: dense.segments.map(({ n, bytes }) => ({
        n,
        bytes: which(n) ? bytes.subarray(0, endOfMedia(bytes)) : bytes,
      })),
    });
    const window = { startMs: 1234, endMs: 6543 };
    const indexed = await cut(dense, window);
    expect(indexed.segments).toEqual({ indexed: SEGMENTS, parsed: 0 });
    for (const [source, parsed] of [
      [stripped(() => true), SEGMENTS],
      [stripped((n) => n % 2 === 0), SEGMENTS / 2],
    ] as const) {
      const clip = await cut(source, window);
      expect(clip.segments).toEqual({ indexed: SEGMENTS - parsed, parsed });
      expect((await readFile(clip.file)).equals(await readFile(indexed.file))).toBe(true);
      expect(clip.poster!.equals(indexed.poster!)).toBe(true);
    }
  });

  it('cuts a recording of sound alone into a clip of sound alone, exact to the sample', async () => {
    const source = { ...dense, segments: dense.segments.map(soundAlone) };
    const window = { startMs: 1234, endMs: 6543, without: [3] };
    const clip = await cut(source, window);
    const { file } = clip;
    expectSound(source, window, await decodeSound(file));
    expect((await probeMedia(file)).streams.map((stream) => stream.codec_type)).toEqual(['audio']);
    expect((await verifyTarget(file, { decode: true })).violations).toEqual([]);
    expect(clip).toMatchObject({ poster: null, pictures: { reencoded: 0, copied: 0 } });
    expect(clip.holes).toEqual([{ startMs: 4800, endMs: 6400 }]);
  });

  it('is the same file however it was prepared, and from a window that grew meanwhile', async () => {
    const window = { startMs: 1234, endMs: 6543 };
    const whole = await readFile((await cut(dense, window)).file);
    for (const preparedUpTo of [[0], [0, 1, 2, 3], [3, 4], [5]]) {
      const { file } = await cut(dense, { ...window, preparedUpTo });
      expect((await readFile(file)).equals(whole)).toBe(true);
    }
    const folder = await mkdtemp(path.join(os.tmpdir(), 'chalkreel-grown-'));
    const { originMs } = dense;
    const segments = dense.segments.map((segment) => segmentInMemory(segment));
    const assembly = new ClipAssembly({
      file: path.join(folder, 'clip.mp4'),
      originMs,
      fps: 30,
      encoders: new Gate(2),
    });
    const until = (endMs: number) => ({
      window: { startMs: originMs + window.startMs, endMs: originMs + endMs },
      segments,
    });
    await assembly.prepare(until(5000), 3);
    const grown = await assembly.finish(until(window.endMs));
    expect((await readFile(grown.file)).equals(whole)).toBe(true);
    await rm(folder, { recursive: true });
  });

  it('takes in what came late into a hole that was passed over already', async () => {
    const options = { startMs: 1000, endMs: 7000 };
    const folder = await mkdtemp(path.join(os.tmpdir(), 'chalkreel-late-'));
    const { originMs } = dense;
    const window = { startMs: originMs + options.startMs, endMs: originMs + options.endMs };
    const segments = dense.segments.map((segment) => segmentInMemory(segment));
    const assembly = new ClipAssembly({
      file: path.join(folder, 'clip.mp4'),
      originMs,
      fps: 30,
      encoders: new Gate(2),
    });
    await assembly.prepare({ window, segments: segments.filter(({ n }) => n !== 2) }, 3);
    const clip = await assembly.finish({ window, segments });
    expect(clip.holes).toEqual([]);
    const whole = await readFile((await cut(dense, options)).file);
    expect((await readFile(clip.file)).equals(whole)).toBe(true);
    await rm(folder, { recursive: true });
  });

  it('reads no more than it needs: the ends of segments, and the bytes of its pictures and frames', async () => {
    const read = new Map<number, number>();
    const segments = dense.segments.map((segment) =>
      segmentInMemory(segment, (start, end) => {
        read.set(segment.n, (read.get(segment.n) ?? 0) + end - start);
      }),
    );
    const { originMs } = dense;
    // The whole of segment 2 and the first 100 ms of 3; of segment 1 the frame of sound that leads in.
    await cutClip({
      folder,
      originMs,
      window: { startMs: originMs + 3200, endMs: originMs + 4900 },
      segments: segments.slice(1, 4),
    });
    const share = (n: number): number => read.get(n)! / dense.segments[n]!.bytes.length;
    // Of the segment before only one frame of sound is needed, of the last a sixteenth.
    expect(share(1)).toBeLessThan(MAX_TAIL_SHARE);
    expect(share(2)).toBeGreaterThan(1);
    expect(share(3)).toBeLessThan(MAX_TAIL_SHARE + 1 / 8);
  });

  it('parses a segment whose index is not true of it, and cuts the same clip', async () => {
    const window = { startMs: 1234, endMs: 6543 };
    const bytes = Buffer.from(dense.segments[2]!.bytes);
    // The index of another segment of about the same size: it holds true in itself.
    const index = dense.segments[3]!.bytes;
    const untrue = Buffer.concat([
      bytes.subarray(0, endOfMedia(bytes)),
      index.subarray(endOfMedia(index)),
    ]);
    const source = {
      ...dense,
      segments: dense.segments.map((segment) =>
        segment.n === 2 ? { n: 2, bytes: untrue } : segment,
      ),
    };
    const clip = await cut(source, window);
    expect(clip.segments).toEqual({ indexed: SEGMENTS - 1, parsed: 1 });
    const whole = await readFile((await cut(dense, window)).file);
    expect((await readFile(clip.file)).equals(whole)).toBe(true);
  });

  it('stops when aborted', async () => {
    const abort = new AbortController();
    const clip = cut(dense, { startMs: 1234, endMs: 4321 }, abort.signal);
    abort.abort(new Error('shutting down'));
    await expect(clip).rejects.toThrow('shutting down');
  });
});
