import { createHash } from 'node:crypto';
import { ChalkreelError } from '../errors.ts';
import type { ChunkSegment, ReencodeManifest, ReencodeSource } from '../model/reencode.ts';
import { objectKeys } from './keys.ts';
import type { ObjectStore } from './objects/object-store.ts';

/** The re-encode of a recording into a profile that counts at present; undefined when there is none. */
export async function findManifest(
  store: ObjectStore,
  recordingId: string,
  profileName: string,
): Promise<ReencodeManifest | undefined> {
  const key = objectKeys.archiveManifest(recordingId, profileName);
  if ((await store.find(key)) === undefined) return undefined;
  try {
    return JSON.parse((await store.read(key)).toString('utf8')) as ReencodeManifest;
  } catch (error) {
    // Deleted since it was found.
    if (error instanceof ChalkreelError && error.code === 'object-not-found') return undefined;
    throw error;
  }
}

/** All re-encodes of a recording, by profile. */
export async function listManifests(
  store: ObjectStore,
  recordingId: string,
): Promise<readonly ReencodeManifest[]> {
  const manifests: ReencodeManifest[] = [];
  for await (const profile of store.listFolders(objectKeys.archiveProfiles(recordingId))) {
    const manifest = await findManifest(store, recordingId, profile);
    if (manifest !== undefined) manifests.push(manifest);
  }
  return manifests;
}

/** Whether a re-encode is of the recording as it is now; a segment that came late, or is gone, makes it one of the past. */
export function isCurrent(
  { source }: Pick<ReencodeManifest, 'source'>,
  segments: readonly ChunkSegment[],
): boolean {
  return source.hash === describeSource(segments)?.hash;
}

/** What a re-encode is made of: all segments, by number; undefined when there are none. */
export function describeSource(segments: readonly ChunkSegment[]): ReencodeSource | undefined {
  const [first, last] = [segments[0], segments.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const hash = createHash('sha256');
  for (const { n, place } of segments) {
    hash.update(`${n} ${place.object} ${place.offset} ${place.length}\n`);
  }
  return {
    hash: hash.digest('hex'),
    firstN: first.n,
    lastN: last.n,
    segments: segments.length,
    bytes: segments.reduce((sum, { place }) => sum + place.length, 0),
  };
}
