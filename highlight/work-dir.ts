import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../src/folders.ts';

/** A clip that nobody has written to for so long belongs to a process that died: windows last ten minutes, and are written as they come. */
const STALE_MS = 3_600_000;

/** Makes the folder for clips being made, and removes what dead processes left in it; others may be at work there. */
export async function clearWorkDir(folder: string, nowMs = Date.now()): Promise<void> {
  await makeFolder(folder);
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    const info = await stat(file).catch(() => undefined);
    if (info !== undefined && nowMs - info.mtimeMs > STALE_MS) await rm(file, { force: true });
  }
}
