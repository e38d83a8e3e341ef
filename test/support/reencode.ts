import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { planChunks } from '../../src/batch/chunk/chunk-plan.ts';
import { encodeChunk } from '../../src/batch/chunk/encode-chunk.ts';
import { joinChunks, type JoinedReencode } from '../../src/batch/join/join.ts';
import { proveOutput } from '../../src/batch/proof/prove.ts';
import { measureQuality } from '../../src/batch/proof/quality.ts';
import type { ChunkResult, ReencodeProfile, ReencodeProof } from '../../src/model/reencode.ts';
import { reencodeProfileSchema } from '../../src/protocol/reencode.ts';
import type { BatchSource } from './batch-source.ts';

/** A profile for tests: 320×180, quick presets, no great demands. */
export function testProfile(change: {
  readonly name?: string;
  readonly codec?: 'avc' | 'hevc' | 'av1';
  readonly video?: Record<string, unknown> | null;
  readonly audio?: ReencodeProfile['audio'];
  readonly outputs?: readonly string[];
}): ReencodeProfile {
  const { codec = 'avc', video = {} } = change;
  const preset = codec === 'av1' ? '12' : 'ultrafast';
  const quality = { ssimDb: 8, worstFrameDb: 5 };
  return reencodeProfileSchema.parse({
    name: change.name ?? codec,
    video: video === null ? null : { codec, height: 180, preset, quality, ...video },
    ...(change.audio === undefined ? {} : { audio: change.audio }),
    outputs: change.outputs ?? ['mp4'],
  });
}

const CRF = { avc: 24, hevc: 26, av1: 40 } as const;

export type Reencoding = BatchSource & {
  readonly profile: ReencodeProfile;
  readonly folder: string;
};

/** Encodes all chunks one after the other, last first if `isReversed`; the results are in that order. */
export async function encodeAll(
  { profile, folder, ...source }: Reencoding,
  { isReversed = false, crf }: { readonly isReversed?: boolean; readonly crf?: number } = {},
): Promise<ChunkResult[]> {
  await mkdir(folder, { recursive: true });
  const chunks = planChunks(source.entries, profile);
  const results: ChunkResult[] = [];
  for (const chunk of isReversed ? chunks.reverse() : chunks) {
    const settings = { crf: crf ?? CRF[profile.video?.codec ?? 'avc'] };
    results.push(await encodeChunk(chunk, { ...source, profile, folder, settings }));
  }
  return results;
}

/** Joins in the order given. */
export async function join(
  results: readonly ChunkResult[],
  { entries, ...rest }: Reencoding,
): Promise<JoinedReencode> {
  await mkdir(rest.folder, { recursive: true });
  return joinChunks(results, { ...rest, source: entries });
}

export function prove(joined: JoinedReencode, reencoding: Reencoding): Promise<ReencodeProof> {
  return proveOutput(reencoding.entries, joined, { ...reencoding, measure: measureQuality });
}

/** Where a file of an output is. */
export function fileOf(joined: JoinedReencode, name: string): string {
  for (const { files, kind } of joined.outputs) {
    const file = files.find((one) => path.join(kind, one.name) === name);
    if (file !== undefined) return file.file;
  }
  throw new Error(`There is no ${name}`);
}
