import { mkdir, open, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes a folder and its parents, one after the other: Node's own recursive mkdir never returns on file systems that answer
 * ENOENT for an existing parent (/proc, Node 20). Resolves to the topmost folder it made, if any. Throws the system's error.
 */
export async function makeFolder(folder: string): Promise<string | undefined> {
  const existing = await stat(folder).catch(() => undefined);
  if (existing?.isDirectory() === true) return undefined;
  const parent = path.dirname(folder);
  const firstMade = parent === folder ? undefined : await makeFolder(parent);
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST' || existing !== undefined) throw error;
    return firstMade;
  }
  return firstMade ?? folder;
}

/** Makes a change of names in a folder last through a power cut. Throws the system's error. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
