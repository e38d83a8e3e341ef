import { closeSync, openSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Closable } from '../../lifecycle.ts';

/** Where the demo's system lives while it runs: Redis, storage, spool, cameras and log. Closing removes it all. */
export type DataFolder = Closable & {
  readonly path: string;
  /** File descriptor of the log that all roles write to. */
  readonly logOutput: number;
  /** Copies the log, for whoever must find out what went wrong. */
  keepLog(file: string): Promise<void>;
};

/** Makes a folder among the system's temporary ones, readable by its owner alone: it holds the API key. */
export async function openDataFolder(): Promise<DataFolder> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'chalkreel-demo-'));
  const logFile = path.join(folder, 'system.log');
  const logOutput = openSync(logFile, 'a');
  let closing: Promise<void> | undefined;
  return {
    path: folder,
    logOutput,
    keepLog: (file) => copyFile(logFile, file),
    close: () => (closing ??= remove(folder, logOutput)),
  };
}

async function remove(folder: string, logOutput: number): Promise<void> {
  closeSync(logOutput);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
