import { writeFile } from 'node:fs/promises';
import { ChalkreelError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { runFfmpeg, type FfmpegRun } from '../../media/ffmpeg.ts';
import { toBuffer } from '../../media/mp4/box.ts';
import { runsOf } from '../../media/mp4/columns.ts';
import {
  FragmentReader,
  type CodedPicture,
  type CodedTrack,
} from '../../media/mp4/fragment-reader.ts';
import { layOutMp4 } from '../../media/mp4/writer.ts';
import { SEGMENT_TICKS } from '../../model/grid.ts';
import { encodeArgs, keySegments, type EncodeSettings } from './encode-command.ts';
import type { EncodeInput } from './encode-input.ts';

/** Coded pictures in decoding order; times are ticks from the input's start. */
export type EncodedPictures = {
  readonly track: CodedTrack;
  readonly pictures: readonly CodedPicture[];
  readonly bytes: number;
  readonly tookMs: number;
};

export type EncodeOptions = {
  /** Default: the first ffmpeg on PATH. */
  readonly ffmpeg?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the share that is done, 0 to 1, about once a second of film. */
  readonly onProgress?: ((share: number) => void) | undefined;
  readonly log?: Log | undefined;
};

/** Live recordings come first. */
export const BATCH_NICENESS = 19;
/** Least an encode may take, and for each picture: a slow preset on a busy machine stays well below it. */
const LEAST_TIMEOUT_MS = 300_000;
const TIMEOUT_MS_PER_PICTURE = 4_000;

/**
 * Encodes an input in one run of ffmpeg. Out come exactly the pictures that went in, at exactly their times, IDR pictures where they are due and
 * only there; else it throws `chunk-times-changed` or `chunk-keys-misplaced`. Other errors: as `runFfmpeg`, with the whole command line.
 */
export async function encodePictures(
  input: EncodeInput,
  settings: EncodeSettings,
  { ffmpeg, signal, onProgress, log }: EncodeOptions = {},
): Promise<EncodedPictures> {
  const pictures: CodedPicture[] = [];
  const reader = new FragmentReader((picture) => pictures.push(picture));
  const startedAt = performance.now();
  const track = await runToEnd(reader, {
    args: encodeArgs(input, settings),
    program: ffmpeg,
    signal,
    log,
    niceness: BATCH_NICENESS,
    timeoutMs: LEAST_TIMEOUT_MS + TIMEOUT_MS_PER_PICTURE * input.pts.length,
    onStdout: (chunk) => {
      const before = pictures.length;
      reader.push(chunk);
      if (pictures.length > before) onProgress?.(Math.min(1, pictures.length / input.pts.length));
      // Whether more is wanted: of a lead-out nothing is.
      return input.hasLeadOut && pictures.length >= input.pts.length;
    },
  });
  const tookMs = Math.round(performance.now() - startedAt);
  const placed = placeAtStart(input.hasLeadOut ? pictures.slice(0, input.pts.length) : pictures);
  checkTimes(placed, input);
  checkKeys(placed, keySegments(input.segments, settings.gopSegments));
  return { track, pictures: placed, bytes: bytesOf(placed), tookMs };
}

/** Thrown out of the reading of a run that has given all that is wanted of it. */
const ENOUGH = new Error('All pictures are there');

/** Runs ffmpeg until it ends, or `onStdout` says that it is enough. */
async function runToEnd(
  reader: FragmentReader,
  run: Omit<FfmpegRun, 'onStdout'> & { readonly onStdout: (chunk: Buffer) => boolean },
): Promise<CodedTrack> {
  const onStdout = (chunk: Buffer): void => {
    if (run.onStdout(chunk)) throw ENOUGH;
  };
  try {
    await runFfmpeg({ ...run, onStdout });
  } catch (error) {
    const { track } = reader;
    if (error === ENOUGH && track !== undefined) return track;
    throw error;
  }
  return reader.finish();
}

/** Writes coded pictures as an MP4 without sound, to be looked at; the last picture lasts to `endTicks`. */
export async function writePicturesMp4(
  { track, pictures }: Pick<EncodedPictures, 'track' | 'pictures'>,
  { file, endTicks }: { readonly file: string; readonly endTicks: number },
): Promise<void> {
  const times = pictures.map(({ pts90k }) => pts90k).sort((a, b) => a - b);
  const delay = reorderingDelay(pictures.map(({ pts90k }) => pts90k));
  const layout = layOutMp4({
    durationTicks: endTicks,
    createdAtMs: 0,
    video: {
      width: track.width,
      height: track.height,
      description: { format: track.format, config: track.config },
      sizes: pictures.map(({ data }) => data.length),
      durations: runsOf(times.map((at, i) => (times[i + 1] ?? endTicks) - at)),
      compositionOffsets: runsOf(pictures.map(({ pts90k }, i) => pts90k - (times[i] ?? 0) + delay)),
      startTicks: delay,
      keys: pictures.flatMap(({ isKey }, i) => (isKey ? [i] : [])),
    },
    audio: undefined,
    blocks: { pictures: [pictures.length], frames: [0] },
  });
  await writeFile(
    file,
    Buffer.concat([toBuffer(layout.header), ...pictures.map(({ data }) => data)]),
  );
}

/** The most by which a picture comes earlier in decoding order than in presentation order, ticks: 0 without B pictures. */
export function reorderingDelay(ptsInDecodingOrder: readonly number[]): number {
  const shown = [...ptsInDecodingOrder].sort((a, b) => a - b);
  return shown.reduce((most, at, i) => Math.max(most, at - (ptsInDecodingOrder[i] ?? 0)), 0);
}

/** The muxer counts from its first DTS, which B pictures put ahead of the first picture. */
function placeAtStart(pictures: readonly CodedPicture[]): CodedPicture[] {
  const start = pictures.reduce((least, { pts90k }) => Math.min(least, pts90k), Infinity);
  return pictures.map((picture) => ({ ...picture, pts90k: picture.pts90k - start }));
}

function checkTimes(pictures: readonly CodedPicture[], { pts }: EncodeInput): void {
  const out = pictures.map(({ pts90k }) => pts90k).sort((a, b) => a - b);
  const wrong = pts.findIndex((at, i) => out[i] !== at);
  if (wrong === -1 && out.length === pts.length) return;
  const place = wrong === -1 ? pts.length : wrong;
  throw new ChalkreelError(
    'chunk-times-changed',
    `Expected ${pts.length} pictures of the encoder, number ${place} at ${pts[place] ?? 'none'} ticks from the chunk's start; ` +
      `got ${out.length}, that one at ${out[place] ?? 'none'}.`,
  );
}

function checkKeys(pictures: readonly CodedPicture[], segments: readonly number[]): void {
  const expected = segments.map((segment) => segment * SEGMENT_TICKS).join();
  const keys = pictures.filter(({ isKey }) => isKey).map(({ pts90k }) => pts90k);
  if (keys.join() === expected) return;
  throw new ChalkreelError(
    'chunk-keys-misplaced',
    `Expected IDR pictures at ${expected} ticks from the chunk's start, got them at ${keys.join()}.`,
  );
}

function bytesOf(pictures: readonly CodedPicture[]): number {
  return pictures.reduce((sum, { data }) => sum + data.length, 0);
}
