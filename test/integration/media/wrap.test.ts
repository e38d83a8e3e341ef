import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import { runFfmpeg } from '../../../src/media/ffmpeg.ts';
import { writeMediaPlaylist } from '../../../src/media/playlist.ts';
import { SEGMENT_MS, segmentStartMs } from '../../../src/model/grid.ts';
import { verifyTarget } from '../../../src/verify/verify.ts';
import { probePackets } from '../../support/probe.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { readCounters } from '../highlight/clip-reader.ts';
import { makeCounterSource, type CounterSource } from '../highlight/counter-source.ts';

const SEGMENTS = 4;
/** The clock passes 2^33 in the middle of segment 1: 50 000 ticks after its start, within a picture and within an AAC frame. */
const PTS_ORIGIN = 2 ** 33 - 144_000 - 50_000;
/** ffmpeg decodes the same frames twice to the same floats; the rest is room for its vector code. */
const PCM_TOLERANCE = 1e-5;
/** The first frame has none before it to overlap with. */
const FIRST_EXACT_SAMPLE = 1024;

const resources = new Resources();
let source: CounterSource;
let playlist: string;
let stream: string;

beforeAll(async () => {
  const folder = resources.use(await makeTempFolder('wrap')).path;
  const everySlot = Array.from({ length: 48 }, (_, slot) => slot);
  source = await makeCounterSource({
    segments: SEGMENTS,
    slotsOf: () => everySlot,
    profile: 'baseline',
    ptsOrigin90k: PTS_ORIGIN,
  });
  for (const { n, bytes } of source.segments) await writeFile(path.join(folder, `${n}.ts`), bytes);
  playlist = path.join(folder, 'index.m3u8');
  const segments = source.segments.map(({ n }) => ({
    uri: `${n}.ts`,
    startMs: segmentStartMs(n, source.originMs),
    durationMs: SEGMENT_MS,
  }));
  await writeFile(
    playlist,
    writeMediaPlaylist({ mediaSequence: 0, type: 'VOD', ended: true, segments }),
  );
  stream = path.join(folder, 'all.ts');
  await writeFile(stream, Buffer.concat(source.segments.map(({ bytes }) => bytes)));
});
afterAll(() => resources.close());

it('breaks no rule where 2^33 is passed inside a segment, decoding included', async () => {
  const report = await verifyTarget(playlist, { decode: true, ptsOrigin: PTS_ORIGIN });
  expect(report.violations).toEqual([]);
});

it('is decoded across the wrap: every picture, every sample, times that go on', async () => {
  for (const target of [stream, playlist]) {
    expect(await readCounters(target)).toEqual(source.slots);
    const times = await probePackets(target);
    const seconds = (kind: string): number[] =>
      times.filter((packet) => packet.codec_type === kind).map(({ pts_time }) => Number(pts_time));
    expectSteps(seconds('video'), 1 / 30);
    expectSteps(seconds('audio'), 1024 / 48_000);
  }
  const { stdout } = await runFfmpeg({
    args: [
      ['-xerror', '-i', stream],
      ['-map', '0:a', '-f', 'f32le', 'pipe:1'],
    ],
  });
  const pcm = new Float32Array(new Uint8Array(stdout).buffer);
  expect(pcm.length).toBe(SEGMENTS * 76_800 * 2);
  let worst = 0;
  for (let i = 2 * FIRST_EXACT_SAMPLE; i < pcm.length; i++) {
    worst = Math.max(worst, Math.abs((pcm[i] ?? NaN) - (source.pcm[i] ?? NaN)));
  }
  expect(worst).toBeLessThan(PCM_TOLERANCE);
});

/** Printed times are rounded to the microsecond. */
function expectSteps(seconds: readonly number[], step: number): void {
  for (const [i, at] of seconds.entries()) {
    expect(Math.abs(at - (seconds[0] ?? NaN) - i * step)).toBeLessThan(2e-6);
  }
}
