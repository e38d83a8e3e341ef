import {
  AAC_FRAME_SAMPLES,
  AAC_FRAMES_PER_SEGMENT,
  SAMPLES_PER_MS,
  SEGMENT_MS,
} from '../../src/model/grid.ts';
import type { SoundStats } from '../../src/protocol/recorder-link.ts';
import { RUN_UP_BLOCKS, startAacEncoder } from './aac.ts';
import type { Link } from './link.ts';
import { sendSpans } from './send-spans.ts';
import { SoundGrid } from './sound-grid.ts';
import { SoundProbe } from './sound-probe.ts';

/**
 * How much later than it was heard the tab's sound arrives, ms: 18 more than a picture's latency, by a flash-and-beep film
 * (docs/measurements.md). Taken off, so that both lie on the grid where they were shown.
 */
const SOUND_LATENCY_MS = 28;
/** Sound later than this behind now is due: the capture's own delay and one block. */
const PULL_DELAY_MS = 60;
/** Sound goes no farther after pictures that a starving machine lays late, ms: half a slot at 15 fps. */
const MAX_FOLLOW_MS = 33;
/** Blocks encoded beyond the end, so that the last kept frame leaves the encoder (its delay is 2). */
const RUN_OUT_BLOCKS = 3;

export type Sound = {
  readonly inputRate: number;
  /** Begins output at the boundary `baseMs`; silence until `startMs`. */
  begin(baseMs: number, startMs: number): void;
  endAt(endMs: number): void;
  /** Lays sound as much later as pictures lie, ms; a change is made by stretching. */
  follow(latenessMs: number): void;
  tick(nowMs: number): void;
  readonly isDone: boolean;
  /** Ends what is measured over time: nothing is recorded from here on. */
  flush(): void;
  stats(): SoundStats;
};

export type SoundOptions = {
  readonly audioBitrate: number;
  readonly soundSkewMs: number;
  readonly samples: ReadableStream<AudioData>;
  readonly link: Link;
  readonly onFailed: (error: unknown) => void;
};

/** Starts reading the tab's sound; resolves when the first of it has come. */
export async function startSound(options: SoundOptions): Promise<Sound> {
  const { link } = options;
  let endFrame = Infinity;
  let sentFrames = 0;
  const encoder = await startAacEncoder({
    bitrate: options.audioBitrate,
    onFrame: (index, data) => {
      if (index < 0 || index >= endFrame) return;
      const n = Math.floor(index / AAC_FRAMES_PER_SEGMENT);
      link.sendMedia({
        kind: 'audio',
        isKey: true,
        n,
        index: index % AAC_FRAMES_PER_SEGMENT,
        data,
      });
      sentFrames = index + 1;
    },
    onFailed: options.onFailed,
  });
  const first = Promise.withResolvers<number>();
  let grid: SoundGrid | undefined;
  void readSamples(options.samples, (data) => {
    grid ??= new SoundGrid({
      inputRate: data.sampleRate,
      latencyMs: SOUND_LATENCY_MS,
      skewMs: options.soundSkewMs,
    });
    offer(grid, data, link.nowMs());
    first.resolve(data.sampleRate);
  }).catch(options.onFailed);
  const inputRate = await first.promise;
  const sound = grid as unknown as SoundGrid;
  const probe = new SoundProbe(sendSpans(link, 'silent'));
  let baseMs = 0;
  let startMs = Infinity;
  return {
    inputRate,
    begin: (base, start) => {
      baseMs = base;
      startMs = start;
      sound.start({ baseMs, startMs, firstBlock: -RUN_UP_BLOCKS });
    },
    endAt: (endMs) => {
      endFrame = Math.round((endMs - baseMs) / SEGMENT_MS) * AAC_FRAMES_PER_SEGMENT;
    },
    follow: (latenessMs) => {
      sound.delayMs = Math.max(-MAX_FOLLOW_MS, Math.min(MAX_FOLLOW_MS, latenessMs));
    },
    tick: (nowMs) => {
      for (const block of sound.pull(nowMs - PULL_DELAY_MS)) {
        if (block.index < endFrame + RUN_OUT_BLOCKS) encoder.encode(block);
        const blockMs = baseMs + (block.index * AAC_FRAME_SAMPLES) / SAMPLES_PER_MS;
        if (blockMs >= startMs && block.index < endFrame) probe.listen(block, blockMs);
      }
    },
    get isDone() {
      return sentFrames >= endFrame;
    },
    flush: () => {
      probe.end(baseMs + (endFrame * AAC_FRAME_SAMPLES) / SAMPLES_PER_MS);
    },
    stats: () => ({
      audioInserted: sound.counts.inserted,
      audioDropped: sound.counts.dropped,
      audioStretched: Math.round(sound.counts.stretched),
      audioJumps: sound.counts.jumps,
      soundLateness: sound.lateness.value,
      ...probe.loudness,
    }),
  };
}

function offer(grid: SoundGrid, data: AudioData, arrivedAtMs: number): void {
  const left = new Float32Array(data.numberOfFrames);
  const right = new Float32Array(data.numberOfFrames);
  data.copyTo(left, { planeIndex: 0, format: 'f32-planar' });
  data.copyTo(right, { planeIndex: data.numberOfChannels > 1 ? 1 : 0, format: 'f32-planar' });
  grid.offer(left, right, { arrivedAtMs, timestampMs: data.timestamp / 1000 });
  data.close();
}

async function readSamples(
  samples: ReadableStream<AudioData>,
  onSamples: (data: AudioData) => void,
): Promise<void> {
  const reader = samples.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onSamples(value);
  }
}
