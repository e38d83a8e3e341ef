import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../../src/folders.ts';
import type { LaneRef } from '../../src/queue/lane-ref.ts';
import { PART } from './spool.ts';

/** File in a work folder that names its worker. */
const WORKER_FILE = 'worker';

/** The folder in which one worker makes one lane of a recording: Chrome's profile, and the spool. */
export type WorkFolder = LaneRef & { readonly folder: string };

/** A file in a spool: whose segment it is, and whether it is whole. */
export type SpooledFile = {
  readonly file: string;
  readonly n: number;
  readonly lane: number;
  readonly epoch: number;
  readonly isWhole: boolean;
};

/** Makes a work folder of its own for a lane. */
export async function makeWorkFolder(
  root: string,
  { recordingId, lane, workerId }: LaneRef & { readonly workerId: string },
): Promise<string> {
  const folder = path.join(root, `${recordingId}-${lane}-${randomUUID().slice(0, 8)}`);
  await makeFolder(folder);
  await writeFile(path.join(folder, WORKER_FILE), workerId);
  return folder;
}

/** What follows a segment's number in the names of a fleet's spools. */
export function spoolSuffix({
  lane,
  epoch,
}: {
  readonly lane: number;
  readonly epoch: number;
}): string {
  return `-${lane}-${epoch}`;
}

/** All work folders on this disk, also those of workers that are gone. */
export async function listWorkFolders(root: string): Promise<readonly WorkFolder[]> {
  const names = await readdir(root).catch(() => []);
  return names.flatMap((name) => {
    const [, recordingId, lane] = /^(.+)-(\d)-[0-9a-f]{8}$/.exec(name) ?? [];
    if (recordingId === undefined) return [];
    return { recordingId, lane: Number(lane), folder: path.join(root, name) };
  });
}

/** The worker whose folder it is; undefined when that is not known. */
export async function findWorker(folder: string): Promise<string | undefined> {
  const id = await readFile(path.join(folder, WORKER_FILE), 'utf8').catch(() => '');
  return id === '' ? undefined : id;
}

/** The spool's files in order of number; none where there is no spool. */
export async function listSpool(folder: string): Promise<readonly SpooledFile[]> {
  const spool = path.join(folder, 'spool');
  const names = await readdir(spool).catch(() => []);
  const files = names.flatMap((name) => {
    const match = /^(\d+)-(\d+)-(\d+)\.ts(\.part)?$/.exec(name);
    if (match === null) return [];
    const [n = 0, lane = 0, epoch = 0] = match.slice(1, 4).map(Number);
    return { file: path.join(spool, name), n, lane, epoch, isWhole: !name.endsWith(PART) };
  });
  return files.sort((a, b) => a.n - b.n);
}

/** Removes a work folder; when its spool has something that may still be wanted, a whole segment, it becomes nobody's instead. */
export async function removeWorkFolder(folder: string): Promise<void> {
  const isWanted = (await listSpool(folder)).some(({ isWhole }) => isWhole);
  const doomed = isWanted ? path.join(folder, 'chrome') : folder;
  await rm(doomed, { recursive: true, force: true, maxRetries: 5 });
  if (isWanted) await writeFile(path.join(folder, WORKER_FILE), '');
}

/** When a folder's spool last changed, Unix ms of this machine; 0 when it has none. */
export async function spoolChangedAtMs(folder: string): Promise<number> {
  const info = await stat(path.join(folder, 'spool')).catch(() => undefined);
  return info?.mtimeMs ?? 0;
}
