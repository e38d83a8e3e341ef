import { readFile } from 'node:fs/promises';
import { findLengthPrefixed, nalType } from '../../../src/media/h264.ts';
import { runFfmpeg } from '../../../src/media/ffmpeg.ts';
import { BufferSource, EncodedPacketSink, Input, MP4 } from 'mediabunny';
import { HEIGHT, readCounter, WIDTH } from './counter-source.ts';

/** A clip as players see it: pictures and sound decoded by ffmpeg, packets read by mediabunny. */
export type ReadClip = {
  /** Counter of each decoded picture. */
  readonly counters: readonly number[];
  /** Ticks of 90 kHz. */
  readonly times: readonly number[];
  readonly durations: readonly number[];
  /** Slice NAL units of each picture. */
  readonly slices: readonly (readonly Uint8Array[])[];
  /** 48 kHz stereo, interleaved, with the edit honoured. */
  readonly pcm: Float32Array;
};

export async function readClip(file: string): Promise<ReadClip> {
  const [counters, pcm, packets] = await Promise.all([
    readCounters(file),
    decodeSound(file),
    readFile(file).then(readPackets),
  ]);
  return { counters, pcm, ...packets };
}

/** The counters of a video's or image's pictures. `-xerror`: a decoder that complains fails the test. */
export async function readCounters(file: string): Promise<number[]> {
  const { stdout } = await runFfmpeg({
    args: [
      ['-xerror', '-i', file],
      ['-map', '0:v', '-fps_mode', 'passthrough'],
      ['-pix_fmt', 'gray', '-f', 'rawvideo', 'pipe:1'],
    ],
  });
  const size = WIDTH * HEIGHT;
  return Array.from({ length: stdout.length / size }, (_, i) =>
    readCounter(stdout.subarray(i * size, (i + 1) * size)),
  );
}

/** 48 kHz stereo, interleaved, with the edit honoured. */
export async function decodeSound(file: string): Promise<Float32Array> {
  const { stdout } = await runFfmpeg({
    args: [
      ['-i', file],
      ['-map', '0:a', '-f', 'f32le', 'pipe:1'],
    ],
  });
  return new Float32Array(
    stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length),
  );
}

async function readPackets(
  bytes: Buffer,
): Promise<Pick<ReadClip, 'times' | 'durations' | 'slices'>> {
  const input = new Input({ source: new BufferSource(bytes), formats: [MP4] });
  const track = await input.getPrimaryVideoTrack();
  const times: number[] = [];
  const durations: number[] = [];
  const slices: Uint8Array[][] = [];
  for await (const packet of new EncodedPacketSink(track!).packets()) {
    times.push(Math.round(packet.timestamp * 90_000));
    durations.push(Math.round(packet.duration * 90_000));
    slices.push(findLengthPrefixed(packet.data)!.filter((nal) => [1, 5].includes(nalType(nal))));
  }
  return { times, durations, slices };
}
