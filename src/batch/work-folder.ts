import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { makeFolder } from '../folders.ts';

/** Inputs of chunks that failed are kept so long, that the command line in the log can be tried. */
const KEPT_MS = 2 * 86_400_000;
const KEPT_PREFIX = 'failed-';

/** Makes this process's own folder below `root`, and removes what dead processes of this host have left there. */
export async function openWorkFolder(root: string): Promise<string> {
  const folder = path.join(root, `${hostname()}-${process.pid}`);
  await makeFolder(root);
  for (const name of await readdir(root)) {
    if (isOfDeadProcess(name)) await clear(path.join(root, name));
  }
  await makeFolder(folder);
  return folder;
}

function isOfDeadProcess(name: string): boolean {
  const host = `${hostname()}-`;
  const pid = Number(name.slice(host.length));
  if (!name.startsWith(host) || !Number.isInteger(pid)) return false;
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

async function clear(folder: string): Promise<void> {
  let isEmpty = true;
  for (const name of await readdir(folder).catch(() => [])) {
    const file = path.join(folder, name);
    const info = await stat(file).catch(() => undefined);
    const ageMs = Date.now() - (info?.mtimeMs ?? 0);
    if (name.startsWith(KEPT_PREFIX) && ageMs < KEPT_MS) isEmpty = false;
    else await rm(file, { recursive: true, force: true });
  }
  if (isEmpty) await rm(folder, { recursive: true, force: true });
}
