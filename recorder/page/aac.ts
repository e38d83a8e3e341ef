import { registerAacEncoder } from '@mediabunny/aac-encoder';
import {
  AudioSample,
  AudioSampleSource,
  AdtsOutputFormat,
  NullTarget,
  Output,
  Quality,
} from 'mediabunny';
import { AAC_FRAME_SAMPLES, SAMPLE_RATE } from '../../src/model/grid.ts';
import type { SoundBlock } from './sound-grid.ts';

/**
 * The encoder's delay, in frames: packet k decodes to input block k − 1 (measured with an impulse; FFmpeg's AAC encoder
 * has 1024 samples of priming). Its first packets are run-up and are not to be written.
 */
const ENCODER_DELAY_FRAMES = 1;
/** Blocks the encoder must be given before the first one that is kept. */
export const RUN_UP_BLOCKS = 4;

export type AacEncoder = {
  /** Encodes the next block; blocks must be consecutive. */
  encode(block: SoundBlock): void;
  /** Resolves when every block handed in so far has been encoded (the last one needs a follower). */
  settled(): Promise<void>;
};

/** Starts an AAC-LC encoder, 48 kHz stereo. `onFrame` gets raw frames with the index of the block they decode to. */
export async function startAacEncoder(options: {
  readonly bitrate: number;
  readonly onFrame: (index: number, data: Uint8Array) => void;
  readonly onFailed: (error: unknown) => void;
}): Promise<AacEncoder> {
  registerAacEncoder();
  let nextFrame: number | undefined;
  const source = new AudioSampleSource({
    codec: 'aac',
    quality: new Quality({ bitrate: options.bitrate }),
    onEncodedPacket: (packet) => {
      if (nextFrame === undefined) return;
      options.onFrame(nextFrame, packet.data);
      nextFrame += 1;
    },
  });
  const output = new Output({ format: new AdtsOutputFormat(), target: new NullTarget() });
  output.addAudioTrack(source);
  await output.start();
  let queue = Promise.resolve();
  return {
    encode: (block) => {
      nextFrame ??= block.index - ENCODER_DELAY_FRAMES;
      const sample = new AudioSample({
        data: interleave(block),
        format: 'f32',
        numberOfChannels: 2,
        sampleRate: SAMPLE_RATE,
        // Only the order matters to us; the muxer behind wants times from zero up.
        timestamp: ((block.index + RUN_UP_BLOCKS) * AAC_FRAME_SAMPLES) / SAMPLE_RATE,
      });
      queue = queue.then(() => source.add(sample)).then(() => sample.close());
      queue.catch(options.onFailed);
    },
    settled: () => queue,
  };
}

function interleave(block: SoundBlock): Float32Array {
  const data = new Float32Array(2 * AAC_FRAME_SAMPLES);
  for (let i = 0; i < AAC_FRAME_SAMPLES; i += 1) {
    data[2 * i] = block.left[i] as number;
    data[2 * i + 1] = block.right[i] as number;
  }
  return data;
}
