import { createHash, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { asChalkreelError, ChalkreelError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { commandLine } from '../../media/ffmpeg.ts';
import type { Recording } from '../../model/recording.ts';
import type { Chunk, ChunkResult, ChunkSettings, ReencodeProfile } from '../../model/reencode.ts';
import type { ObjectStore } from '../../storage/objects/object-store.ts';
import { chunkKeys, findChunk, storeChunk, toResult } from './chunk-objects.ts';
import { ENCODERS, encodeArgs, type EncodeSettings } from './encode-command.ts';
import { prepareInput } from './encode-input.ts';
import { encodePictures } from './encode-pictures.ts';
import { identifyEncoder } from './encoder-identity.ts';
import { keepInput } from './failed-inputs.ts';
import { planPictureSize } from './picture-size.ts';

/** Changes when the same chunk would give other bytes for a reason that is in our code. */
const CHUNK_VERSION = 1;

export type EncodeChunkOptions = {
  readonly profile: ReencodeProfile;
  readonly settings: ChunkSettings;
  readonly store: ObjectStore;
  readonly recording: Pick<Recording, 'id' | 'originMs' | 'settings'>;
  /** The worker's own: files are gone when the promise settles, but for the input of a chunk that failed. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  /** The share that is done, 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined;
  readonly log?: Log | undefined;
};

/**
 * Encodes a chunk into the store, under the hash of its input, settings, encoder, threads and CPU: whoever asks again finds it done. Throws
 * `chunk-failed`, with the command line ready to paste, its input being kept in `folder`; the signal's reason when aborted.
 */
export async function encodeChunk(chunk: Chunk, options: EncodeChunkOptions): Promise<ChunkResult> {
  const { profile, store, recording } = options;
  const settings = encodeSettings(options);
  const encoder = await identifyEncoder(settings.video.codec, profile.ffmpeg);
  const name = nameChunk(chunk, settings, encoder);
  const rest = { index: chunk.index, name, ...chunkKeys(recording.id, profile.name, name) };
  const found = await findChunk(store, rest.tables);
  if (found !== undefined) return toResult(found, { ...rest, wasThere: true, tookMs: 0 });
  const startedAt = performance.now();
  const encoded = await encodeInFolder(chunk, { ...options, name, encode: settings });
  const tables = await storeChunk(store, rest, {
    ...encoded,
    firstN: chunk.segments[0]?.n ?? 0,
    segments: chunk.segments.length,
    gopSegments: settings.gopSegments,
    crf: settings.crf,
    encoder,
  });
  const tookMs = Math.round(performance.now() - startedAt);
  return toResult(tables, { ...rest, wasThere: false, tookMs });
}

/** What a chunk is encoded with: the profile, fitted to the recording. */
export function encodeSettings({
  profile,
  settings,
  recording,
}: Pick<EncodeChunkOptions, 'profile' | 'settings' | 'recording'>): EncodeSettings {
  const { video } = profile;
  if (video === null) {
    throw new ChalkreelError('profile-without-pictures', `Profile ${profile.name} is sound alone`);
  }
  const source = recording.settings;
  const size = planPictureSize(video, source);
  const isScaled = size.width !== source.width || size.height !== source.height;
  return {
    video,
    crf: settings.crf,
    gopSegments: settings.gopSegments ?? video.gopSegments,
    scaleTo: isScaled ? size : undefined,
    fps: source.fps,
  };
}

/** 40 hex digits. The command line stands for the settings, whatever file it reads. */
function nameChunk(chunk: Chunk, settings: EncodeSettings, encoder: string): string {
  const { segments, leadOut = [] } = chunk;
  const input = describeInput(chunk, 'input');
  const hash = createHash('sha256').update(
    `chunk ${CHUNK_VERSION} ${ENCODERS[settings.video.codec]} ${encoder}\n`,
  );
  hash.update(JSON.stringify(encodeArgs(input, settings)));
  for (const { n, place } of [...segments, ...leadOut]) {
    hash.update(`\n${n} ${place.object} ${place.offset} ${place.length}`);
  }
  return hash.digest('hex').slice(0, 40);
}

function describeInput(
  { segments, leadOut = [] }: Chunk,
  file: string,
): Parameters<typeof encodeArgs>[0] {
  return { file, segments: segments.length, hasLeadOut: leadOut.length > 0 };
}

async function encodeInFolder(
  chunk: Chunk,
  options: EncodeChunkOptions & { readonly name: string; readonly encode: EncodeSettings },
): ReturnType<typeof encodePictures> {
  const { folder, name, store, recording, profile, signal } = options;
  // Its own, should a job that was thought lost still run beside.
  const file = path.join(folder, `${name.slice(0, 16)}-${randomUUID().slice(0, 8)}.mp4`);
  const originMs = recording.originMs ?? 0;
  try {
    const input = await prepareInput(chunk.segments, {
      ...{ store, originMs, file, signal },
      leadOut: chunk.leadOut,
    });
    const encoded = await encodePictures(input, options.encode, {
      ...options,
      ffmpeg: profile.ffmpeg,
    });
    await rm(file, { force: true });
    return encoded;
  } catch (error) {
    if (signal?.aborted === true) await rm(file, { force: true });
    signal?.throwIfAborted();
    throw chunkFailed(error, { chunk, file: await keepInput(file), options });
  }
}

/** What failed, and how to see it fail again. */
function chunkFailed(
  error: unknown,
  failed: {
    readonly chunk: Chunk;
    readonly file: string;
    readonly options: Parameters<typeof encodeInFolder>[1];
  },
): ChalkreelError {
  const { chunk, file, options } = failed;
  const { segments } = chunk;
  const input = describeInput(chunk, file);
  const args = encodeArgs(input, options.encode);
  const command = `${commandLine({ args, program: options.profile.ffmpeg })} > ${file}.out.mp4`;
  const cause = asChalkreelError(error);
  return new ChalkreelError(
    'chunk-failed',
    `Chunk ${chunk.index} of recording ${options.recording.id} (segments ${segments[0]?.n} to ${segments.at(-1)?.n}) ` +
      `failed: ${cause.message}\nTo see it fail: ${command}`,
    {
      fault: cause.fault,
      retryable: cause.retryable || cause.fault !== 'input',
      cause,
      details: { command, chunk: chunk.index, code: cause.code },
    },
  );
}
