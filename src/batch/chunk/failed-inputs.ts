import { readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

/** Inputs kept in a folder, so that command lines in the log can be tried: the newest. About 15 MB each. */
const KEPT = 5;
const PREFIX = 'failed-';

/** Keeps the input of a chunk that failed, and drops the oldest of those before; resolves to where it is. */
export async function keepInput(file: string): Promise<string> {
  const folder = path.dirname(file);
  const kept = path.join(folder, PREFIX + path.basename(file));
  // It may never have been written.
  await rename(file, kept).catch(() => undefined);
  const names = (await readdir(folder)).filter((name) => name.startsWith(PREFIX));
  const files = names.map(async (name) => {
    const info = await stat(path.join(folder, name)).catch(() => undefined);
    return { name, modifiedAtMs: info?.mtimeMs ?? 0 };
  });
  const oldestLast = (await Promise.all(files)).sort((a, b) => b.modifiedAtMs - a.modifiedAtMs);
  for (const { name } of oldestLast.slice(KEPT)) {
    await rm(path.join(folder, name), { force: true });
  }
  return kept;
}
