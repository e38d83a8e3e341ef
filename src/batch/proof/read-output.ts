import { createHash } from 'node:crypto';
import { runFfmpeg, type FfmpegArgs, type FfmpegRun } from '../../media/ffmpeg.ts';
import { NAL_TYPE, nalType, nalUnits } from '../../media/h264.ts';
import type { ReencodeOutputKind } from '../../model/reencode.ts';
import type { JoinedOutput } from '../join/join.ts';
import { readLines } from '../../lines.ts';
import { AdtsSplitter } from '../join/sound.ts';

/** How ffmpeg is run for a proof. */
export type ProofRun = Pick<FfmpegRun, 'program' | 'niceness' | 'signal' | 'log'>;

/** What a player gets out of an output, by ffmpeg's own demuxers and decoders. */
export type DecodedOutput = {
  /** Of every picture in order of showing, ticks of 90 kHz. */
  readonly pts: readonly number[];
  /** Checksum of every decoded picture. */
  readonly checksums: readonly number[];
  /** Decoded samples a channel. */
  readonly samples: number;
};

/** A day, decoded slower than it lasts. */
const TIMEOUT_MS = 2 * 86_400_000;
/** 16 bits, stereo. */
const BYTES_PER_SAMPLE = 4;
const START_CODE = Buffer.from([0, 0, 1]);

/** The files of an output that hold pictures, and sound: one for both, or one each. */
export function mediaFiles({ kind, files }: JoinedOutput): {
  readonly pictures: string | undefined;
  readonly sound: string;
} {
  const find = (name: string): string | undefined => files.find((f) => f.name === name)?.file;
  const [pictures, sound] = MEDIA_FILES[kind];
  return { pictures: find(pictures), sound: find(sound) ?? '' };
}

const MEDIA_FILES: Readonly<Record<ReencodeOutputKind, readonly [string, string]>> = {
  mp4: ['recording.mp4', 'recording.mp4'],
  'hls-cmaf': ['pictures.mp4', 'sound.mp4'],
  'hls-ts': ['media.ts', 'media.ts'],
};

/** Decodes pictures and sound, all of them; fails at the first complaint of a decoder. Errors as `runFfmpeg`. */
export async function decodeOutput(
  output: JoinedOutput,
  hasPictures: boolean,
  run: ProofRun,
): Promise<DecodedOutput> {
  const { pictures, sound } = mediaFiles(output);
  const pts: number[] = [];
  const checksums: number[] = [];
  let bytes = 0;
  const lines = readLines((line) => {
    const [, stream, at, size, checksum] = FRAME_LINE.exec(line) ?? [];
    if (stream === undefined) return;
    if (hasPictures && stream === '0') {
      pts.push(Number(at));
      checksums.push(Number(checksum));
    } else bytes += Number(size);
  });
  const strict = ['-xerror', '-err_detect', 'crccheck+bitstream+buffer+explode'];
  const input = (file: string): string[] => [...strict, '-copyts', '-i', file];
  const inputs = hasPictures && pictures !== sound ? [pictures ?? '', sound] : [sound];
  await runFfmpeg({
    ...run,
    args: [
      ...inputs.map(input),
      ...(hasPictures
        ? [['-map', '0:v:0', '-fps_mode', 'passthrough', '-enc_time_base:v', '1:90000']]
        : []),
      ['-map', `${inputs.length - 1}:a:0`, '-c:a', 'pcm_s16le'],
      ['-f', 'framecrc', 'pipe:1'],
    ],
    onStdout: lines.take,
    timeoutMs: TIMEOUT_MS,
  });
  lines.end();
  return { pts, checksums, samples: bytes / BYTES_PER_SAMPLE };
}

/** A line a frame: stream, DTS, PTS, duration, bytes, checksum. */
const FRAME_LINE = /^(\d), +-?\d+, +(-?\d+), +-?\d+, +(\d+), (0x[0-9a-f]+)/;

/** Every raw AAC frame, hashed in order. */
export async function hashSound(
  file: string,
  run: ProofRun,
): Promise<{ readonly frames: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let count = 0;
  const splitter = new AdtsSplitter((frames) => {
    for (const frame of frames) hash.update(frame);
    count += frames.length;
  });
  await readPackets(file, ['-map', '0:a:0', '-c', 'copy', '-f', 'adts'], run, (chunk) => {
    splitter.push(chunk);
  });
  return { frames: count, sha256: hash.digest('hex') };
}

/** All coded pictures in order, hashed in runs of so many bytes: chunk by chunk, what its encoder made. Of MPEG-TS, as MP4 would have them. */
export async function hashPictureBytes(
  output: JoinedOutput,
  runsOfBytes: readonly number[],
  run: ProofRun,
): Promise<readonly string[]> {
  const hasher = new RunHasher(runsOfBytes);
  const nals = new NalReader((nal) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(nal.length);
    hasher.push(length);
    hasher.push(nal);
  });
  const isTs = output.kind === 'hls-ts';
  const take = (chunk: Buffer): void => {
    if (isTs) nals.push(chunk);
    else hasher.push(chunk);
  };
  const { pictures = '' } = mediaFiles(output);
  await readPackets(
    pictures,
    ['-map', '0:v:0', '-c', 'copy', '-copyinkf', '-f', 'data'],
    run,
    take,
  );
  nals.finish();
  return hasher.finish();
}

async function readPackets(
  file: string,
  how: readonly string[],
  run: ProofRun,
  onStdout: (chunk: Buffer) => void,
): Promise<void> {
  // Packets as they are in the file, whatever edits say.
  const whole = file.endsWith('.mp4') ? ['-ignore_editlist', '1'] : [];
  const args: FfmpegArgs = [[...whole, '-copyts', '-i', file], how, ['pipe:1']];
  await runFfmpeg({ ...run, args, onStdout, timeoutMs: TIMEOUT_MS });
}

/** Hashes consecutive runs of a stream; what is beyond the last is a run of its own. */
class RunHasher {
  readonly #runs: readonly number[];
  readonly #hashes: string[] = [];
  #hash = createHash('sha256');
  #left: number;
  #isEmpty = true;

  constructor(runs: readonly number[]) {
    this.#runs = runs;
    this.#left = runs[0] ?? Infinity;
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + this.#left);
      this.#hash.update(part);
      this.#isEmpty = false;
      at += part.length;
      this.#left -= part.length;
      if (this.#left === 0) this.#next();
    }
  }

  finish(): readonly string[] {
    if (!this.#isEmpty) this.#next();
    return this.#hashes;
  }

  #next(): void {
    this.#hashes.push(this.#hash.digest('hex'));
    this.#hash = createHash('sha256');
    this.#isEmpty = true;
    this.#left = this.#runs[this.#hashes.length] ?? Infinity;
  }
}

const NOT_IN_SAMPLES: readonly number[] = [NAL_TYPE.aud, NAL_TYPE.sps, NAL_TYPE.pps];

/** Takes the NAL units of samples out of an Annex B stream that comes in pieces. */
class NalReader {
  readonly #onNal: (nal: Uint8Array) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onNal: (nal: Uint8Array) => void) {
    this.#onNal = onNal;
  }

  push(chunk: Buffer): void {
    const bytes = Buffer.concat([this.#rest, chunk]);
    const last = bytes.lastIndexOf(START_CODE);
    if (last > 0) this.#handOut(bytes.subarray(0, last));
    this.#rest = last > 0 ? Buffer.from(bytes.subarray(last)) : bytes;
  }

  finish(): void {
    this.#handOut(this.#rest);
  }

  #handOut(bytes: Buffer): void {
    for (const nal of nalUnits(bytes)) {
      if (!NOT_IN_SAMPLES.includes(nalType(nal))) this.#onNal(nal);
    }
  }
}
