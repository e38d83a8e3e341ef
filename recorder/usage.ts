import { readdir, readFile } from 'node:fs/promises';

/** Clock ticks per second of /proc times on Linux (USER_HZ). */
const TICKS_PER_SECOND = 100;

export type Usage = {
  /** User and system time used so far, seconds, of the processes alive now. */
  readonly cpuSeconds: number;
  /** Proportional set size, MB. */
  readonly memoryMb: number;
};

/** CPU and memory of a process group, from /proc. Zero where there is no /proc. */
export async function readGroupUsage(groupId: number): Promise<Usage> {
  const names = await readdir('/proc').catch(() => []);
  let ticks = 0;
  let kilobytes = 0;
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // Fields after the command's closing parenthesis: state ppid pgrp … utime (14) stime (15).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(fields[2]) !== groupId) continue;
    ticks += Number(fields[11]) + Number(fields[12]);
    kilobytes += await readPss(name);
  }
  return { cpuSeconds: ticks / TICKS_PER_SECOND, memoryMb: kilobytes / 1024 };
}

async function readPss(pid: string): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
}
