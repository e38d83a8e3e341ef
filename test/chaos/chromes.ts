import { readFile } from 'node:fs/promises';
import { processesWith, type RunningProcess } from '../support/processes.ts';
import type { Fleet } from './fleet.ts';
import type { RunningRole } from './role-process.ts';

/** A Chrome that records, by its browser process, which leads a process group. */
export type RunningChrome = {
  readonly pid: number;
  readonly worker: RunningRole;
};

/** The Chromes that record something now, with the workers that started them. A worker's spare one is none of them: it has no class yet. */
export async function findChromes(fleet: Fleet, recordingId: string): Promise<RunningChrome[]> {
  const found = await processesWith(fleet.folder);
  const lines = await fleet.readLogs();
  const ready = lines.filter(
    (line) => line.event === 'classroom-ready' && line.recordingId === recordingId,
  );
  const pids = new Set(ready.map(({ browserPid }) => browserPid));
  return found.flatMap((running) => {
    if (!isBrowser(running) || !pids.has(running.pid)) return [];
    const worker = fleet.workers().find(({ pid }) => pid === running.parentPid);
    return worker === undefined ? [] : [{ pid: running.pid, worker }];
  });
}

/** Whether a process is there and not a zombie. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}

/** Chrome's helper processes have a type, and inherit the profile's name. */
function isBrowser({ command }: RunningProcess): boolean {
  return command.includes('--user-data-dir=') && !command.includes('--type=');
}
