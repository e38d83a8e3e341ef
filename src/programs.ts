import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { programFolders } from './config.ts';

/** The full path of the first of these programs that is on PATH (or is itself a path to one), else undefined. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = programFolders();
  for (const name of names) {
    const candidates = name.includes(path.sep)
      ? [path.resolve(name)]
      : folders.map((folder) => path.join(folder, name));
    const found = candidates.find(isExecutable);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
