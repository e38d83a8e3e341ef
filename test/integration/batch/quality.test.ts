import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scaleFilter } from '../../../src/batch/chunk/encode-command.ts';
import { measureQuality } from '../../../src/batch/proof/quality.ts';
import { toDb } from '../../../src/batch/proof/quality-summary.ts';
import { Resources } from '../../../src/lifecycle.ts';
import { runProgram } from '../../support/programs.ts';
import { SLOT_PATTERNS, writeSyntheticRecording } from '../../support/synthetic-recording.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

/** x264 without loss: what differs is what a filter has changed. */
const LOSSLESS = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '0', '-threads', '1'];
const SLOTS = SLOT_PATTERNS.uneven;
const SLOT_MS = 1000 / 30;

describe('how like its source an encode is', () => {
  const resources = new Resources();
  let folder = '';
  let recording = '';

  beforeAll(async () => {
    folder = resources.use(await makeTempFolder('quality')).path;
    // 30 pictures 33, 33, 100 ms and so on apart, times beginning at 10 s
    recording = await writeSyntheticRecording(path.join(folder, 'recording'), {
      segments: 1,
      slots: SLOTS,
    });
  });
  afterAll(() => resources.close());

  /** The recording's pictures through a filter, losslessly, times beginning at 0. */
  async function filtered(name: string, filter: string): Promise<string> {
    const file = path.join(folder, `${name}.mp4`);
    await runProgram('ffmpeg', [
      ...['-v', 'error', '-y', '-i', recording, '-an', '-vf', `${filter},setpts=PTS-STARTPTS`],
      ...['-fps_mode', 'passthrough', '-enc_time_base', '-1', ...LOSSLESS],
      ...['-video_track_timescale', '90000', file],
    ]);
    return file;
  }

  /** Ten pictures of one gray, which has a known SSIM with any other gray. */
  async function gray(luma: number): Promise<string> {
    const file = path.join(folder, `gray-${luma}.mp4`);
    await runProgram('ffmpeg', [
      ...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'color=gray:s=64x64:r=10:d=1'],
      ...['-vf', `format=yuv420p,lutyuv=y=${luma}`, ...LOSSLESS, file],
    ]);
    return file;
  }

  it('is what the formula gives for two grays', async () => {
    const c1 = (0.01 * 255) ** 2;
    const ssim = (2 * 100 * 110 + c1) / (100 ** 2 + 110 ** 2 + c1);
    const [source, brighter] = await Promise.all([gray(100), gray(110)]);
    const quality = await measureQuality(source, brighter);
    expect(quality.pictures).toBe(10);
    // ffmpeg adds in integers and writes six decimals.
    expect(quality.ssimDb).toBeCloseTo(toDb(ssim), 1);
    expect(quality.worstFrameDb).toBeCloseTo(toDb(ssim), 1);
  });

  it('finds the one changed picture among pictures unevenly apart, and its time', async () => {
    const changed = await filtered('changed', `drawbox=t=fill:c=black:enable='eq(n,20)'`);
    const seamMs = SLOTS[21] ?? 0;
    const quality = await measureQuality(recording, changed, {
      seamsMs: [seamMs * SLOT_MS],
      threads: 1,
    });
    expect(quality.pictures).toBe(SLOTS.length);
    expect(quality.worstFrameDb).toBeLessThan(5);
    expect(quality.worstFrameAtMs).toBeCloseTo((SLOTS[20] ?? 0) * SLOT_MS, 1);
    // One of 30, one of the 4 beside the seam; all others are equal.
    const worst = 1 - 10 ** (-quality.worstFrameDb / 10);
    expect(quality.ssimDb).toBeCloseTo(toDb(1 - (1 - worst) / SLOTS.length), 1);
    expect(quality.seamPictures).toBe(4);
    expect(quality.seamSsimDb).toBeCloseTo(toDb(1 - (1 - worst) / 4), 1);
  });

  it('compares a smaller picture with the source scaled to its size', async () => {
    const smaller = await filtered('smaller', scaleFilter({ width: 320, height: 180 }));
    expect(await measureQuality(recording, smaller)).toMatchObject({ ssimDb: 60 });
  });

  it('refuses pictures that are not those of the source: one missing, one moved by a slot, one more', async () => {
    const missing = await filtered('missing', `select='not(eq(n,20))'`);
    const moved = await filtered('moved', `setpts='PTS+eq(N,5)*3000'`);
    await expect(measureQuality(recording, missing)).rejects.toMatchObject({
      code: 'quality-pictures-differ',
    });
    await expect(measureQuality(recording, moved)).rejects.toThrow(/picture 5 at/);
    await expect(measureQuality(missing, recording)).rejects.toThrow('as in the source');
  });

  it('ends its programs when it is called off', async () => {
    const reason = new Error('called off');
    const signal = AbortSignal.abort(reason);
    await expect(measureQuality(recording, recording, { signal })).rejects.toBe(reason);
  });
});
