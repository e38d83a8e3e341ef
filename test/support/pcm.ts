import { KEEP_TIMES, runProgram } from './programs.ts';

/** Decoded sound, mixed to one channel. Sample `i` is heard at `startS + i / sampleRate`. */
export type Pcm = {
  readonly sampleRate: number;
  /** The first sample's PTS in the container, s. */
  readonly startS: number;
  readonly samples: Float32Array;
};

const SAMPLE_RATE = 48_000;

/** Decodes the sound of a file or playlist; every decoded frame lies where its PTS puts it, holes are silence. */
export async function decodePcm(path: string): Promise<Pcm> {
  const { stdout, stderr } = await runProgram('ffmpeg', [
    ...['-hide_banner', '-nostdin', '-nostats', '-copyts', '-i', path, '-map', '0:a:0'],
    ...['-filter:a', `aresample=${SAMPLE_RATE},aformat=flt:channel_layouts=mono,ashowinfo`],
    ...['-f', 'f32le', 'pipe:1'],
    ...KEEP_TIMES,
  ]);
  const decoded = new Float32Array(
    stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length),
  );
  const frames = [...stderr.matchAll(/\bpts:(-?\d+) .* nb_samples:(\d+)/g)].map((match) => ({
    pts: Number(match[1]),
    length: Number(match[2]),
  }));
  return place(decoded, frames, path);
}

function place(
  decoded: Float32Array,
  frames: readonly { readonly pts: number; readonly length: number }[],
  path: string,
): Pcm {
  const first = frames[0];
  const last = frames.at(-1);
  if (first === undefined || last === undefined)
    throw new Error(`${path}: expected sound, got none.`);
  const samples = new Float32Array(last.pts + last.length - first.pts);
  let read = 0;
  for (const { pts, length } of frames) {
    samples.set(decoded.subarray(read, read + length), pts - first.pts);
    read += length;
  }
  return { sampleRate: SAMPLE_RATE, startS: first.pts / SAMPLE_RATE, samples };
}
