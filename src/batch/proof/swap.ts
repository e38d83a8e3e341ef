import { ChalkreelError } from '../../errors.ts';
import { SEGMENT_MS } from '../../model/grid.ts';
import type { Recording } from '../../model/recording.ts';
import type {
  ChunkSegment,
  ReencodeManifest,
  ReencodeObject,
  ReencodeOutput,
  ReencodeProfile,
  ReencodeProof,
} from '../../model/reencode.ts';
import { objectKeys } from '../../storage/keys.ts';
import type { ObjectStore } from '../../storage/objects/object-store.ts';
import type { RecordingRepository } from '../../storage/records/recording-repository.ts';
import { describeSource, findManifest } from '../../storage/reencodes.ts';
import { removeFolder } from '../../storage/objects/remove-folder.ts';
import type { JoinedOutput, JoinedReencode } from '../join/join.ts';
import type { JoinedFile } from '../join/out-file.ts';

export type SwapOptions = {
  readonly proof: ReencodeProof;
  readonly profile: ReencodeProfile;
  readonly recording: Pick<Recording, 'id'>;
  readonly source: readonly ChunkSegment[];
  readonly store: ObjectStore;
  readonly recordings: Pick<RecordingRepository, 'find'>;
  readonly nowMs: number;
  /** Asked when everything but the manifest is stored: false ends it with nothing replaced (`reencode-unwanted`). */
  readonly mayReplace?: (() => Promise<boolean>) | undefined;
};

/**
 * Puts a proved re-encode in the place of the one before: first its objects, which nothing names yet, then the manifest in one step. What the manifest
 * before named stays once more, for those who are reading it; older objects and the chunks go. Of a recording that is deleted meanwhile nothing stays, and it throws
 * `recording-not-found`.
 */
export async function swapReencode(
  joined: JoinedReencode,
  options: SwapOptions,
): Promise<ReencodeManifest> {
  const { recording, profile, store, mayReplace = () => Promise.resolve(true) } = options;
  const folder = `${objectKeys.archiveProfile(recording.id, profile.name)}${joined.build}/`;
  const outputs: ReencodeOutput[] = [];
  for (const output of joined.outputs) outputs.push(await storeOutput(output, folder, store));
  const manifest = describe(joined, outputs, options);
  const before = await findManifest(store, recording.id, profile.name);
  if (!(await mayReplace())) {
    throw new ChalkreelError(
      'reencode-unwanted',
      `Re-encode ${profile.name} of recording ${recording.id} is not wanted any more`,
    );
  }
  const key = objectKeys.archiveManifest(recording.id, profile.name);
  await store.put(key, Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`));
  await refuseDeleted(options);
  await removeOld([manifest, ...(before === undefined ? [] : [before])], options);
  return manifest;
}

/** A name is a hash of what it is made of: what is there already, from a run that was cut short, is the same. */
async function storeOutput(
  { kind, files }: JoinedOutput,
  folder: string,
  store: ObjectStore,
): Promise<ReencodeOutput> {
  const objects: ReencodeObject[] = [];
  for (const file of files) {
    const key = `${folder}${kind}/${file.name}`;
    await store.put(key, { file: file.file });
    objects.push({ key, bytes: file.bytes, sha256: file.sha256 });
  }
  return { kind, entry: objects[0]?.key ?? '', bytes: bytesOf(files), objects };
}

function bytesOf(files: readonly JoinedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function describe(
  { plan }: JoinedReencode,
  outputs: readonly ReencodeOutput[],
  { recording, profile, proof, source, nowMs }: SwapOptions,
): ReencodeManifest {
  const described = describeSource(source);
  if (described === undefined) throw new RangeError('Expected segments.');
  const crfs = plan.chunks.map(({ crf }) => crf);
  return {
    version: 1,
    recordingId: recording.id,
    profile,
    madeAtMs: Math.round(nowMs),
    width: plan.pictures?.track.width ?? null,
    height: plan.pictures?.track.height ?? null,
    durationMs: plan.grid.length * SEGMENT_MS,
    missingMs: plan.grid.filter((segment) => segment === undefined).length * SEGMENT_MS,
    source: described,
    outputs,
    proof,
    crf: crfs.length === 0 ? null : { least: Math.min(...crfs), most: Math.max(...crfs) },
    gopSegments:
      plan.chunks.length === 0
        ? null
        : plan.chunks.reduce((most, { gopSegments }) => Math.max(most, gopSegments), 0),
    chunks: plan.chunks.length,
    encoders: [...new Set(plan.chunks.map(({ encoder }) => encoder))].sort(),
    bytesBefore: described.bytes,
    bytesAfter: Math.max(0, ...outputs.map(({ bytes }) => bytes)),
  };
}

/** After the manifest is there: whoever deletes the recording from now on finds all of it. */
async function refuseDeleted({ recording, recordings, store }: SwapOptions): Promise<void> {
  const present = await recordings.find(recording.id);
  if (present !== undefined && present.deletedAtMs === undefined) return;
  await removeFolder(store, objectKeys.archiveFolder(recording.id));
  throw new ChalkreelError(
    'recording-not-found',
    `There is no recording ${recording.id} any more`,
    {
      fault: 'input',
    },
  );
}

async function removeOld(
  manifests: readonly ReencodeManifest[],
  { recording, profile, store }: SwapOptions,
): Promise<void> {
  const named = new Set(
    manifests.flatMap(({ outputs }) => outputs.flatMap(({ objects }) => objects.map((o) => o.key))),
  );
  named.add(objectKeys.archiveManifest(recording.id, profile.name));
  const folder = objectKeys.archiveProfile(recording.id, profile.name);
  await removeFolder(store, folder, { keep: (key) => named.has(key) });
  await removeFolder(store, objectKeys.archiveChunks(recording.id, profile.name));
}
