import { readdir, readFile } from 'node:fs/promises';

export type RunningProcess = {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: string;
};

/**
 * The processes that carry a marker in their command line or environment: a temporary folder's path, or
 * `CHALKREEL_TEST_ID=…` handed to the first of them. Children inherit the environment, whoever their parent is
 * now. Zombies and this process are not counted.
 */
export async function processesWith(marker: string): Promise<RunningProcess[]> {
  const all = await listProcesses();
  const marked = await Promise.all(
    all.map(
      async ({ pid, command }) =>
        pid !== process.pid &&
        (command.includes(marker) || (await readProc(pid, 'environ')).includes(marker)),
    ),
  );
  return all.filter((_, i) => marked[i]);
}

/** The descendants of a process, itself not counted. */
export async function descendantsOf(pid: number): Promise<RunningProcess[]> {
  const all = await listProcesses();
  const family = new Set([pid]);
  let size = 0;
  while (family.size > size) {
    size = family.size;
    for (const p of all) if (family.has(p.parentPid)) family.add(p.pid);
  }
  return all.filter((p) => p.pid !== pid && family.has(p.pid));
}

async function listProcesses(): Promise<RunningProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(findProcess));
  return found.filter((p) => p !== undefined);
}

/** proc(5): the name is in brackets and may hold anything; then state and parent. */
async function findProcess(pid: number): Promise<RunningProcess | undefined> {
  const stat = await readProc(pid, 'stat');
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (parent === undefined || state === 'Z' || state === 'X') return undefined;
  const command = (await readProc(pid, 'cmdline')).replaceAll('\0', ' ').trim();
  return { pid, parentPid: Number(parent), command };
}

/** Empty when the process has gone meanwhile. */
async function readProc(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
