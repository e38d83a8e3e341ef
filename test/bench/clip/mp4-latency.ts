import { rm } from 'node:fs/promises';
import path from 'node:path';
import { delay } from '../../../src/lifecycle.ts';
import { runFfmpeg } from '../../../src/media/ffmpeg.ts';
import { boundaryAtOrAfter, SEGMENT_MS, segmentStartMs } from '../../../src/model/grid.ts';
import type { TestServices } from '../../support/test-services.ts';
import type { Measurement } from '../measure.ts';
import { addRecording, storeSegment, type Lesson } from './lesson.ts';
import { restamp, type Captured } from './material.ts';
import { percentile } from './percentile.ts';

const CLIP_MS = 60_000;
/** Segments of a live recording: the clip's 38 or 39, and one before them. */
const SEGMENTS = 40;
/** The teacher presses this long before the window's end. */
const AFTER_MS = 5000;
/** So long after its end a recorder has encoded and closed a segment. */
const CLOSE_MS = 200;
const WARM_UP = 2;
const PEER_RUNS = 3;
const COMPLETED_TIMEOUT_MS = 20_000;
const ENCODE_TIMEOUT_MS = 300_000;

/**
 * From the durable close of a window's last segment to the MP4 in the store and in the record, for clips of 60 s of a class that is running;
 * and what ffmpeg takes for the same span of the lesson on disk.
 */
export async function measureMp4Latency(
  services: TestServices,
  { captured, lesson, runs }: { captured: Captured; lesson: Lesson; runs: number },
): Promise<Measurement[]> {
  const onIdr: number[] = [];
  const withHead: number[] = [];
  for (let run = -WARM_UP; run < runs; run++) {
    const idr = await clipLive(services, captured, { id: `live-${run}-idr`, intoSegmentMs: 0 });
    // Anywhere in the segment, so that heads are short and long.
    const intoSegmentMs = 40 + Math.floor(((run + WARM_UP) * 0.618034 * 1500) % 1500);
    const head = await clipLive(services, captured, { id: `live-${run}-head`, intoSegmentMs });
    if (run < 0) continue;
    onIdr.push(idr);
    withHead.push(head);
  }
  const p95 = (name: string, samples: number[], bound: number): Measurement => ({
    name: `mp4-latency-${name}-p95`,
    unit: 'ms',
    samples: [percentile(samples, 95)],
    bound: { is: '<=', value: bound },
  });
  return [
    { name: 'mp4-latency-idr', unit: 'ms', samples: onIdr },
    p95('idr', onIdr, 250),
    { name: 'mp4-latency-head', unit: 'ms', samples: withHead },
    p95('head', withHead, 700),
    ...(await measurePeers(services, lesson)),
  ];
}

/** One live class: all segments come at their time; the answer is how long after the last one the clip was there. */
async function clipLive(
  services: TestServices,
  captured: Captured,
  { id, intoSegmentMs }: { readonly id: string; readonly intoSegmentMs: number },
): Promise<number> {
  // Its last segment ends soon, but not before the trigger and the start of the clip's preparation.
  const endMs = boundaryAtOrAfter(Date.now() + AFTER_MS + SEGMENT_MS);
  const originMs = endMs - SEGMENTS * SEGMENT_MS;
  await addRecording(services, { id, originMs, state: 'recording' });
  const bytes = Array.from({ length: SEGMENTS }, (_, n) => restamp(captured, n));
  const publish = async (n: number): Promise<void> => {
    const dueAtMs = segmentStartMs(n + 1, originMs) + CLOSE_MS;
    await delay(Math.max(0, dueAtMs - Date.now()));
    const entry = await storeSegment(services, id, n, bytes[n] ?? Buffer.alloc(0));
    await services.segments.append(id, entry);
  };
  const startMs = segmentStartMs(1, originMs) + intoSegmentMs;
  const triggeredAtMs = startMs + CLIP_MS - AFTER_MS;
  const trigger = async (): Promise<string> => {
    await delay(Math.max(0, triggeredAtMs - Date.now()));
    const wish = { atMs: triggeredAtMs, beforeMs: CLIP_MS - AFTER_MS, afterMs: AFTER_MS };
    const { highlight } = await services.requestHighlight(id, { triggerId: id, ...wish }, 'api');
    return highlight.id;
  };
  const triggered = trigger();
  for (let n = 0; n < lastNumber(startMs, originMs); n++) await publish(n);
  const last = lastNumber(startMs, originMs);
  await delay(Math.max(0, segmentStartMs(last + 1, originMs) + CLOSE_MS - Date.now()));
  const highlightId = await triggered;
  const closedAt = performance.now();
  await publish(last);
  const deadline = closedAt + COMPLETED_TIMEOUT_MS;
  for (;;) {
    const highlight = await services.highlights.get(highlightId);
    if (highlight.state === 'completed') break;
    if (highlight.state === 'failed' || performance.now() > deadline) {
      throw new Error(`clip ${id} is ${highlight.state}: ${highlight.warnings.join(' ')}`);
    }
    await delay(2);
  }
  const tookMs = performance.now() - closedAt;
  await services.recordings.update(id, (recording) => ({ ...recording, state: 'completed' }));
  return tookMs;
}

function lastNumber(startMs: number, originMs: number): number {
  return Math.floor((startMs + CLIP_MS - 1 - originMs) / SEGMENT_MS);
}

/** What others would do with the same segments: copy from the key picture before, or encode everything. */
async function measurePeers(services: TestServices, lesson: Lesson): Promise<Measurement[]> {
  const output = path.join(services.dataDir, 'peer.mp4');
  const run = async (codec: readonly string[]): Promise<number[]> => {
    const samples: number[] = [];
    for (let i = 0; i < PEER_RUNS; i++) {
      const startedAt = performance.now();
      await runFfmpeg({
        args: [
          ['-y', '-ss', '100.777', '-i', lesson.playlist],
          ['-t', String(CLIP_MS / 1000), ...codec, '-movflags', '+faststart', output],
        ],
        timeoutMs: ENCODE_TIMEOUT_MS,
      });
      samples.push(performance.now() - startedAt);
    }
    await rm(output, { force: true });
    return samples;
  };
  return [
    { name: 'ffmpeg-copy', unit: 'ms', samples: await run(['-c', 'copy']) },
    {
      name: 'ffmpeg-libx264-veryfast',
      unit: 'ms',
      samples: await run(['-c:v', 'libx264', '-preset', 'veryfast', '-c:a', 'copy']),
    },
  ];
}
