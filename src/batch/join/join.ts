import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { ChalkreelError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { SEGMENT_TICKS, segmentStartMs } from '../../model/grid.ts';
import type { Recording } from '../../model/recording.ts';
import type {
  ChunkResult,
  ChunkSegment,
  ReencodeOutputKind,
  ReencodeProfile,
} from '../../model/reencode.ts';
import type { ObjectStore } from '../../storage/objects/object-store.ts';
import { describeSource } from '../../storage/reencodes.ts';
import { readChunk } from '../chunk/chunk-objects.ts';
import { CmafOutput } from './cmaf-output.ts';
import type { JoinBlock, JoinPicture, OutputWriter } from './join-block.ts';
import { planJoin, type JoinPlan } from './join-plan.ts';
import { mapLimited } from '../../map-limited.ts';
import { Mp4Output } from './mp4-output.ts';
import type { JoinedFile } from './out-file.ts';
import { openSound, type Sound } from './sound.ts';
import { TsOutput } from './ts-output.ts';

/** Changes when the same chunks would be joined to other bytes. */
const JOIN_VERSION = 1;
/** Tables of chunks asked for together. */
const READS_AT_ONCE = 16;

/** One form of a re-encode, as files of a folder. */
export type JoinedOutput = {
  readonly kind: ReencodeOutputKind;
  /** What players open comes first. */
  readonly files: readonly JoinedFile[];
};

/** A whole re-encode, not yet proved. */
export type JoinedReencode = {
  /** Hash of everything it is made of: equal ones are equal byte for byte. */
  readonly build: string;
  readonly outputs: readonly JoinedOutput[];
  readonly plan: JoinPlan;
};

export type JoinOptions = {
  readonly profile: ReencodeProfile;
  /** All of the recording's entries, by number. */
  readonly source: readonly ChunkSegment[];
  readonly recording: Pick<Recording, 'id' | 'originMs'>;
  readonly store: ObjectStore;
  /** Where the outputs are made; the caller removes it. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
};

/**
 * Joins chunks, in whatever order they came, into the profile's outputs: nothing is encoded but sound that the profile changes, once for the whole. Throws
 * `join-incomplete`, `join-parameter-sets-differ`, `chunk-damaged`.
 */
export async function joinChunks(
  results: readonly ChunkResult[],
  options: JoinOptions,
): Promise<JoinedReencode> {
  const { profile, source, recording, store, folder } = options;
  const chunks = await mapLimited(results, READS_AT_ONCE, async ({ name, media, tables }) => ({
    ...(await readChunk(store, tables)),
    ...{ name, media },
  }));
  const plan = planJoin(chunks, source, { hasPictures: profile.video !== null });
  const sound = await openSound(plan.grid, { ...options, recordingId: recording.id });
  const createdAtMs = segmentStartMs(plan.firstN, recording.originMs ?? 0);
  const outputs = await openOutputs(plan, { profile, sound, createdAtMs, folder });
  try {
    for await (const block of readBlocks(plan, sound, options)) {
      for (const { writer } of outputs) await writer.append(block);
    }
    const joined: JoinedOutput[] = [];
    for (const { kind, writer } of outputs) joined.push({ kind, files: await writer.finish() });
    return { build: nameBuild(plan, options), outputs: joined, plan };
  } finally {
    await Promise.all(outputs.map(({ writer }) => writer.close()));
  }
}

type Output = { readonly kind: ReencodeOutputKind; readonly writer: OutputWriter };

async function openOutputs(
  plan: JoinPlan,
  options: {
    readonly profile: ReencodeProfile;
    readonly sound: Sound;
    readonly createdAtMs: number;
    readonly folder: string;
  },
): Promise<readonly Output[]> {
  const outputs: Output[] = [];
  try {
    for (const kind of options.profile.outputs) {
      const folder = path.join(options.folder, kind);
      await mkdir(folder, { recursive: true });
      outputs.push({ kind, writer: await OPENERS[kind](plan, { ...options, folder }) });
    }
    return outputs;
  } catch (error) {
    await Promise.all(outputs.map(({ writer }) => writer.close()));
    throw error;
  }
}

const OPENERS: Readonly<
  Record<
    ReencodeOutputKind,
    (
      plan: JoinPlan,
      options: { readonly sound: Sound; readonly createdAtMs: number; readonly folder: string },
    ) => Promise<OutputWriter>
  >
> = {
  mp4: (plan, options) => Mp4Output.open(plan, options),
  'hls-cmaf': (plan, options) => CmafOutput.open(plan, options),
  'hls-ts': (plan, options) => TsOutput.open(plan, options),
};

/** The grid's segments in order, holes included. */
async function* readBlocks(
  plan: JoinPlan,
  sound: Sound,
  { store, signal }: Pick<JoinOptions, 'store' | 'signal'>,
): AsyncGenerator<JoinBlock, void> {
  const media = readPictures(plan, store);
  let next = plan.pictures === null ? undefined : await nextOf(media);
  for (const [index, segment] of plan.grid.entries()) {
    signal?.throwIfAborted();
    const end = (index + 1) * SEGMENT_TICKS;
    const pictures: JoinPicture[] = [];
    while (next !== undefined && next.decodeAt < end) {
      pictures.push(next);
      next = await nextOf(media);
    }
    yield { index, isHole: segment === undefined, pictures, frames: await sound.read(index) };
  }
}

async function nextOf(
  pictures: AsyncGenerator<JoinPicture, void>,
): Promise<JoinPicture | undefined> {
  const { value } = await pictures.next();
  return value ?? undefined;
}

/** All pictures in decoding order; each chunk's media is read whole, and must be what its tables say. */
async function* readPictures(
  plan: JoinPlan,
  store: ObjectStore,
): AsyncGenerator<JoinPicture, void> {
  const { pictures } = plan;
  if (pictures === null) return;
  let i = 0;
  for (const chunk of plan.chunks) {
    const bytes = await store.read(chunk.media);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (sha256 !== chunk.sha256) {
      throw new ChalkreelError(
        'chunk-damaged',
        `Object ${chunk.media}: expected bytes with SHA-256 ${chunk.sha256}, got ${sha256}.`,
      );
    }
    let at = 0;
    for (const size of chunk.sizes) {
      yield {
        pts: pictures.pts[i] ?? 0,
        decodeAt: pictures.decodeAt[i] ?? 0,
        duration: pictures.durations[i] ?? 0,
        isKey: pictures.isKey[i] ?? false,
        data: bytes.subarray(at, at + size),
      };
      at += size;
      i += 1;
    }
  }
}

function nameBuild(plan: JoinPlan, { profile, source }: JoinOptions): string {
  const what = {
    version: JOIN_VERSION,
    audio: profile.audio,
    outputs: profile.outputs,
    source: describeSource(source)?.hash,
    chunks: plan.chunks.map(({ name }) => name),
  };
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 32);
}
