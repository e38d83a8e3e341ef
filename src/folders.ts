import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { syncFd, withFile } from './open-file.ts';

/**
 * Makes a folder and its parents, one after the other: Node's own recursive mkdir never returns on file systems that answer
 * ENOENT for an existing parent (/proc, Node 20). Resolves to the topmost folder it made, if any. Throws the system's error.
 */
export async function makeFolder(folder: string): Promise<string | undefined> {
  try {
    await mkdir(folder);
    return folder;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return undefined;
    const parent = path.dirname(folder);
    if (code !== 'ENOENT' || parent === folder) throw error;
    const firstMade = await makeFolder(parent);
    // Somebody else may have made it meanwhile.
    await mkdir(folder).catch((again: unknown) => {
      if ((again as NodeJS.ErrnoException).code !== 'EEXIST') throw again;
    });
    return firstMade ?? folder;
  }
}

/** Makes a change of names in a folder last through a power cut. Throws the system's error. */
export function syncFolder(folder: string): Promise<void> {
  return withFile(folder, 'r', (fd) => syncFd(fd));
}
