import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ChalkreelError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { ADTS_HEADER_BYTES, findAdtsHeader, writeAdtsHeader } from '../../media/aac.ts';
import { commandLine, runFfmpeg, type FfmpegArgs } from '../../media/ffmpeg.ts';
import { GrowingColumn } from '../../media/mp4/columns.ts';
import type { Column } from '../../media/mp4/movie.ts';
import { allUnits, openSegment } from '../../media/mpegts/segment-source.ts';
import { SILENT_AAC_FRAME } from '../../media/silent-aac-frame.ts';
import { AAC_FRAMES_PER_SEGMENT, SEGMENT_MS } from '../../model/grid.ts';
import type { ChunkSegment, ReencodeProfile } from '../../model/reencode.ts';
import type { ObjectStore } from '../../storage/objects/object-store.ts';
import { readPlace } from '../../storage/objects/read-place.ts';
import { chunkKeys } from '../chunk/chunk-objects.ts';
import { BATCH_NICENESS } from '../chunk/encode-pictures.ts';
import { identifyEncoder } from '../chunk/encoder-identity.ts';
import { readContents } from '../chunk/source-pictures.ts';

/** Frames ahead of the first segment's: a frame's sound needs the one before it. */
export const LEAD_FRAMES = 1;

/** The sound of a whole recording: raw AAC frames, 75 for each number from the first to the last, silent ones in holes. */
export type Sound = {
  /** Bytes of every frame, the lead's first. */
  readonly sizes: Column;
  /** What is decoded before the first segment begins: silence, or an encoder's priming. */
  readonly lead: Uint8Array;
  /** The frames of the i-th number from the first. */
  read(index: number): Promise<readonly Uint8Array[]>;
};

type Grid = readonly (ChunkSegment | undefined)[];

/** The recording's own sound, byte for byte. */
export async function copySound(grid: Grid, store: ObjectStore): Promise<Sound> {
  const sizes = new GrowingColumn();
  sizes.push(SILENT_AAC_FRAME.length);
  const contents = readContents(
    store,
    grid.filter((segment) => segment !== undefined),
  );
  for (const segment of grid) {
    const frames = segment === undefined ? [] : ((await contents.next()).value?.frames ?? []);
    for (let i = 0; i < AAC_FRAMES_PER_SEGMENT; i++)
      sizes.push(frames[i] ?? SILENT_AAC_FRAME.length);
  }
  return {
    sizes: sizes.toColumn(),
    lead: SILENT_AAC_FRAME,
    read: (index) => readFrames(grid[index], store),
  };
}

async function readFrames(
  segment: ChunkSegment | undefined,
  store: ObjectStore,
): Promise<readonly Uint8Array[]> {
  const frames: Uint8Array[] = [];
  if (segment !== undefined) {
    const { place } = segment;
    const whole = await readPlace(store, place, { start: 0, end: place.length });
    const read = (start: number, end: number): Promise<Uint8Array> =>
      Promise.resolve(whole.subarray(start, end));
    const source = await openSegment({ length: place.length, read });
    const none = { from: 0, to: 0 };
    const units = await source.read({ ...allUnits(source), pictures: none });
    frames.push(...units.frames.slice(0, AAC_FRAMES_PER_SEGMENT));
  }
  while (frames.length < AAC_FRAMES_PER_SEGMENT) frames.push(SILENT_AAC_FRAME);
  return frames;
}

export type SoundOptions = {
  readonly profile: Pick<ReencodeProfile, 'name' | 'audio' | 'ffmpeg'>;
  readonly recordingId: string;
  readonly store: ObjectStore;
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
};

const tablesSchema = z.object({ version: z.literal(1), sizes: z.array(z.number()) });

/**
 * The sound of a recording as the profile has it: copied, or encoded once for the whole. What is encoded is kept in the store under the
 * hash of its input and settings, like a chunk. Errors as `runFfmpeg`, and `sound-length-changed`.
 */
export async function openSound(grid: Grid, options: SoundOptions): Promise<Sound> {
  const { profile, store } = options;
  const copied = await copySound(grid, store);
  if (profile.audio.mode === 'copy') return copied;
  const name = await nameSound(grid, profile.audio.bitrate, profile.ffmpeg);
  const keys = chunkKeys(options.recordingId, profile.name, name);
  if ((await store.find(keys.tables)) === undefined) {
    await encodeSound(copied, grid.length, {
      ...options,
      name,
      keys,
      bitrate: profile.audio.bitrate,
    });
  }
  return openEncoded(keys, store);
}

async function nameSound(grid: Grid, bitrate: number, ffmpeg: string | undefined): Promise<string> {
  const encoder = await identifyEncoder('aac', ffmpeg);
  const hash = createHash('sha256').update(`sound 1 ${encoder}\n`);
  hash.update(JSON.stringify(soundArgs('input', bitrate)));
  for (const segment of grid) {
    const { n, place } = segment ?? { n: -1, place: { object: '', offset: 0, length: 0 } };
    hash.update(`\n${n} ${place.object} ${place.offset} ${place.length}`);
  }
  return `sound-${hash.digest('hex').slice(0, 40)}`;
}

function soundArgs(file: string, bitrate: number): FfmpegArgs {
  return [
    ['-threads', '1', '-f', 'aac', '-i', file, '-map', '0:a:0', '-vn'],
    ['-c:a', 'aac', '-b:a', `${bitrate}`, '-ar', '48000', '-ac', '2', '-threads', '1'],
    // equal input, equal bytes
    ['-fflags', '+bitexact', '-flags:a', '+bitexact', '-map_metadata', '-1'],
    ['-f', 'adts', 'pipe:1'],
  ];
}

async function encodeSound(
  copied: Sound,
  segments: number,
  options: SoundOptions & {
    readonly name: string;
    readonly keys: { readonly media: string; readonly tables: string };
    readonly bitrate: number;
  },
): Promise<void> {
  const { folder, name, keys, bitrate, store, signal, log, profile } = options;
  const [input, output] = [path.join(folder, `${name}.aac`), path.join(folder, `${name}.bin`)];
  const sizes = new GrowingColumn();
  const handle = openSync(output, 'w');
  try {
    await writeAdts(copied, segments, input, signal);
    const splitter = new AdtsSplitter((frames) => {
      for (const { length } of frames) sizes.push(length);
      writeSync(handle, Buffer.concat(frames));
    });
    const args = soundArgs(input, bitrate);
    const timeoutMs = 300_000 + segments * SEGMENT_MS;
    const onStdout = (chunk: Buffer): void => {
      splitter.push(chunk);
    };
    await runFfmpeg({
      args,
      program: profile.ffmpeg,
      signal,
      log,
      niceness: BATCH_NICENESS,
      timeoutMs,
      onStdout,
    });
    checkLength(sizes.length, segments, commandLine({ args, program: profile.ffmpeg }));
    await store.put(keys.media, { file: output });
    const tables = { version: 1, sizes: [...sizes.toColumn()] };
    await store.put(keys.tables, Buffer.from(JSON.stringify(tables)));
  } finally {
    closeSync(handle);
    await Promise.all([rm(input, { force: true }), rm(output, { force: true })]);
  }
}

/** The encoder puts one frame of priming ahead: sample for sample the same length. */
function checkLength(frames: number, segments: number, command: string): void {
  const expected = LEAD_FRAMES + segments * AAC_FRAMES_PER_SEGMENT;
  if (frames === expected) return;
  throw new ChalkreelError(
    'sound-length-changed',
    `Expected ${expected} AAC frames of the encoder, got ${frames}: ${command}`,
  );
}

async function writeAdts(
  sound: Sound,
  segments: number,
  file: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const handle = await open(file, 'w');
  try {
    for (let i = 0; i < segments; i++) {
      signal?.throwIfAborted();
      await handle.writeFile(Buffer.concat((await sound.read(i)).map(toAdts)));
    }
  } finally {
    await handle.close();
  }
}

function toAdts(frame: Uint8Array): Buffer {
  const adts = Buffer.allocUnsafe(ADTS_HEADER_BYTES + frame.length);
  writeAdtsHeader(adts, 0, frame.length);
  adts.set(frame, ADTS_HEADER_BYTES);
  return adts;
}

/** Takes raw frames out of an ADTS stream that comes in pieces. */
export class AdtsSplitter {
  readonly #onFrames: (frames: readonly Uint8Array[]) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onFrames: (frames: readonly Uint8Array[]) => void) {
    this.#onFrames = onFrames;
  }

  /** Throws `encoder-output` for what is no ADTS. */
  push(chunk: Buffer): void {
    const bytes = Buffer.concat([this.#rest, chunk]);
    const frames: Uint8Array[] = [];
    let at = 0;
    while (at + ADTS_HEADER_BYTES <= bytes.length) {
      const header = findAdtsHeader(bytes, at);
      if (header === undefined) {
        throw new ChalkreelError(
          'encoder-output',
          `Expected an ADTS header at byte ${at}, got none.`,
        );
      }
      if (at + header.frameBytes > bytes.length) break;
      frames.push(bytes.subarray(at + header.headerBytes, at + header.frameBytes));
      at += header.frameBytes;
    }
    this.#rest = bytes.subarray(at);
    this.#onFrames(frames);
  }
}

async function openEncoded(
  keys: { readonly media: string; readonly tables: string },
  store: ObjectStore,
): Promise<Sound> {
  const { sizes } = tablesSchema.parse(JSON.parse((await store.read(keys.tables)).toString()));
  const starts = new Float64Array(sizes.length + 1);
  for (const [i, size] of sizes.entries()) starts[i + 1] = (starts[i] ?? 0) + size;
  const readRun = async (from: number, count: number): Promise<Uint8Array[]> => {
    const start = starts[from] ?? 0;
    const bytes = await store.read(keys.media, { start, end: starts[from + count] ?? 0 });
    return Array.from({ length: count }, (_, i) =>
      bytes.subarray((starts[from + i] ?? 0) - start, (starts[from + i + 1] ?? 0) - start),
    );
  };
  const [lead = new Uint8Array()] = await readRun(0, LEAD_FRAMES);
  return {
    sizes: Uint32Array.from(sizes),
    lead,
    read: (index) => readRun(LEAD_FRAMES + index * AAC_FRAMES_PER_SEGMENT, AAC_FRAMES_PER_SEGMENT),
  };
}
