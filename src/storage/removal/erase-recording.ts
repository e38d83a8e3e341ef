import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { inputError } from '../../errors.ts';
import { objectKeys } from '../keys.ts';
import { removeFolder } from '../objects/remove-folder.ts';
import { removeHighlight, type HighlightRemoval } from './remove-highlight.ts';
import { beginRemoval, removeWhatIsFree, type RemovalServices } from './remove-recording.ts';

/** What a call took away: in a repeated one, only what was still there. */
export type ErasedRecording = {
  readonly removed: {
    readonly segments: number;
    /** Highlights with their clips. */
    readonly clips: number;
    readonly shares: number;
    readonly favourites: number;
    /** Of the nightly batch. */
    readonly archiveObjects: number;
    /** Folders of workers on this disk. */
    readonly spools: number;
    /** Objects in the store, all of the above included; spools' files are not objects. */
    readonly objects: number;
    /** Objects and spools together. */
    readonly bytes: number;
  };
  /** Highlights whose clips are still being made of the recording's segments: those go as soon as the clips are there. */
  readonly pendingClips: readonly string[];
};

/**
 * Removes a recording with all that came from it, its clips only if asked. Idempotent, also after it was cut short: a recording that is
 * not there has nothing to remove. Throws `recording-not-final` while it runs.
 */
export async function eraseRecording(
  id: string,
  services: RemovalServices,
  options: {
    readonly clips: boolean;
    readonly nowMs: number;
    /** Where workers of this disk keep unpublished segments, in folders named `<recording>-…`. */
    readonly workFolder?: string | undefined;
  },
): Promise<ErasedRecording> {
  assertId(id);
  const { highlights, store } = services;
  await beginRemoval(id, services, options);
  const clips: HighlightRemoval[] = [];
  if (options.clips) {
    for (const highlight of await highlights.listByRecording(id)) {
      clips.push(await removeHighlight(highlight.id, services));
    }
  }
  const archive = await removeFolder(store, objectKeys.archiveFolder(id));
  const spools = await removeSpools(options.workFolder, id);
  const recording = await removeWhatIsFree(id, services, options);
  const sum = (pick: (clip: HighlightRemoval) => number): number =>
    clips.reduce((total, clip) => total + pick(clip), 0);
  return {
    removed: {
      segments: recording.segments,
      clips: clips.length,
      shares: recording.shares + sum(({ shares }) => shares),
      favourites: sum(({ favourites }) => favourites),
      archiveObjects: archive.objects,
      spools: spools.folders,
      objects: recording.objects + archive.objects + sum(({ objects }) => objects),
      bytes: recording.bytes + archive.bytes + spools.bytes + sum(({ bytes }) => bytes),
    },
    pendingClips: recording.pinnedBy,
  };
}

/** It becomes part of names in the store and on the disk. */
function assertId(id: string): void {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) {
    throw inputError('id', `There is no recording ${id}`, 'recording-not-found');
  }
}

async function removeSpools(
  workFolder: string | undefined,
  id: string,
): Promise<{ readonly folders: number; readonly bytes: number }> {
  if (workFolder === undefined) return { folders: 0, bytes: 0 };
  const names = await readdir(workFolder).catch(() => []);
  const ours = names.filter((name) => name === id || name.startsWith(`${id}-`));
  let bytes = 0;
  for (const name of ours) {
    const folder = path.join(workFolder, name);
    bytes += await sizeOf(folder);
    await rm(folder, { recursive: true, force: true });
  }
  return { folders: ours.length, bytes };
}

/** Bytes of all files below a folder; what goes away meanwhile has none. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const sizes = files.map(async ({ parentPath, name }) => {
    const info = await stat(path.join(parentPath, name)).catch(() => undefined);
    return info?.size ?? 0;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
