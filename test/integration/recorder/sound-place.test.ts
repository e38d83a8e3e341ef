import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { RUN_UP_BLOCKS, startAacEncoder } from '../../../recorder/page/aac.ts';
import { SoundGrid } from '../../../recorder/page/sound-grid.ts';
import { deferred, Resources } from '../../../src/lifecycle.ts';
import { createSegmentWriter } from '../../../src/media/mpegts/segment-writer.ts';
import {
  AAC_FRAMES_PER_SEGMENT,
  SAMPLE_RATE,
  SEGMENT_MS,
  segmentPts90k,
} from '../../../src/model/grid.ts';
import { decodePcm } from '../../support/pcm.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

const INPUT_RATE = 44_100;
/** Input comes in pieces of 10 ms, this much after its end. */
const PIECE = 441;
const LATENCY_MS = 20;
const SEGMENTS = 3;
/** An impulse every 14 700 input samples lies on a whole sample of 48 kHz: each 147 are 160. */
const IMPULSE_EVERY = 14_700;
const IMPULSE_EVERY_OUT = 16_000;
/** Blocks after the last one that is kept, so that it leaves the encoder. */
const RUN_OUT_BLOCKS = 4;
/** Where the container's times begin, s. */
const PTS_ORIGIN_S = 10;

const resources = new Resources();
afterEach(() => resources.close());

describe('sound from capture to transport stream', () => {
  it('decodes each impulse within a sample of where it was captured', async () => {
    const file = path.join(resources.use(await makeTempFolder('impulse')).path, 'sound.ts');
    await writeFile(file, await record());
    const { samples, startS } = await decodePcm(file);
    const first = Math.round((startS - PTS_ORIGIN_S) * SAMPLE_RATE);
    const length = (SEGMENTS * SEGMENT_MS * SAMPLE_RATE) / 1000;
    // The first AAC frame lacks the one before it, so the impulse at 0 is left out.
    for (let at = IMPULSE_EVERY_OUT; at < length - IMPULSE_EVERY_OUT; at += IMPULSE_EVERY_OUT) {
      const [from, to] = [at - first - IMPULSE_EVERY_OUT / 2, at - first + IMPULSE_EVERY_OUT / 2];
      const around = samples.subarray(from, to).map(Math.abs);
      const peak = from + around.indexOf(around.reduce((a, b) => Math.max(a, b), 0)) + first;
      expect(Math.abs(peak - at), `impulse at sample ${at}`).toBeLessThanOrEqual(1);
    }
  });
});

/** Plays impulses through resampler, AAC encoder and segment writer, as the recorder does. */
async function record(): Promise<Uint8Array> {
  const frames: Uint8Array[] = [];
  const all = deferred();
  const wanted = SEGMENTS * AAC_FRAMES_PER_SEGMENT;
  const encoder = await startAacEncoder({
    bitrate: 128_000,
    onFrame: (index, data) => {
      if (index >= 0 && index < wanted) frames[index] = data;
      if (index === wanted - 1) all.resolve();
    },
    onFailed: all.reject,
  });
  const grid = new SoundGrid({ inputRate: INPUT_RATE, latencyMs: LATENCY_MS });
  grid.start({ baseMs: 0, startMs: 0, firstBlock: -RUN_UP_BLOCKS });
  for (let k = -INPUT_RATE; k < (SEGMENTS + 1) * SEGMENT_MS * (INPUT_RATE / 1000); k += PIECE) {
    const samples = Float32Array.from({ length: PIECE }, (_, i) =>
      (k + i) % IMPULSE_EVERY === 0 ? 0.9 : 0,
    );
    const timestampMs = (k * 1000) / INPUT_RATE;
    const arrivedAtMs = ((k + PIECE) * 1000) / INPUT_RATE + LATENCY_MS;
    grid.offer(samples, samples, { arrivedAtMs, timestampMs });
    for (const block of grid.pull(arrivedAtMs)) {
      if (block.index < wanted + RUN_OUT_BLOCKS) encoder.encode(block);
    }
  }
  await all.promise;
  return Buffer.concat(Array.from({ length: SEGMENTS }, (_, n) => writeSegment(n, frames)));
}

function writeSegment(n: number, frames: readonly Uint8Array[]): Uint8Array {
  const packets: Uint8Array[] = [];
  const writer = createSegmentWriter({
    pts90k: segmentPts90k(n),
    slotTicks: undefined,
    write: (bytes) => packets.push(bytes.slice()),
  });
  const from = n * AAC_FRAMES_PER_SEGMENT;
  for (const frame of frames.slice(from, from + AAC_FRAMES_PER_SEGMENT)) writer.writeAudio(frame);
  writer.finish();
  return Buffer.concat(packets);
}
