import { readdir, readFile } from 'node:fs/promises';

/** Clock ticks per second of /proc times on Linux (USER_HZ). */
const TICKS_PER_SECOND = 100;

export type Usage = {
  /** User and system time used since Chrome was launched, seconds; what ended meanwhile counts with its last reading. */
  readonly cpuSeconds: number;
  /** Proportional set size of what is alive now, MB. */
  readonly memoryMb: number;
  /** Time since the meter was started, ms. */
  readonly wallMs: number;
};

export type UsageMeter = {
  /** `groupId`: the process group of the recording's Chrome, once there is one. */
  read(groupId: number | undefined): Promise<Usage>;
  readonly stop: () => void;
};

/** Meters that run in this process now: they share its own CPU and memory. */
const running = new Set<UsageMeter>();

/**
 * Starts measuring what a recording uses: the process group of its Chrome, from /proc (zero where there is none), and this
 * process's own share, evenly divided among the recordings it makes.
 */
export function startUsageMeter(): UsageMeter {
  const startedAtMs = performance.now();
  const ticks = new Map<string, number>();
  let ownBefore = process.cpuUsage();
  let ownSeconds = 0;
  const meter: UsageMeter = {
    read: async (groupId) => {
      const group = groupId === undefined ? [] : await readGroup(groupId);
      for (const { pid, cpuTicks } of group) ticks.set(pid, cpuTicks);
      const own = process.cpuUsage();
      const usedUs = own.user + own.system - ownBefore.user - ownBefore.system;
      ownBefore = own;
      const share = 1 / Math.max(1, running.size);
      ownSeconds += (usedUs / 1e6) * share;
      const groupTicks = [...ticks.values()].reduce((sum, used) => sum + used, 0);
      const groupKb = group.reduce((sum, { pssKb }) => sum + pssKb, 0);
      return {
        cpuSeconds: groupTicks / TICKS_PER_SECOND + ownSeconds,
        memoryMb: groupKb / 1024 + (process.memoryUsage.rss() / 2 ** 20) * share,
        wallMs: performance.now() - startedAtMs,
      };
    },
    stop: () => {
      running.delete(meter);
    },
  };
  running.add(meter);
  return meter;
}

type ProcessUsage = { readonly pid: string; readonly cpuTicks: number; readonly pssKb: number };

async function readGroup(groupId: number): Promise<ProcessUsage[]> {
  const names = await readdir('/proc').catch(() => []);
  const used: ProcessUsage[] = [];
  for (const pid of names) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // Fields after the command's closing parenthesis: state ppid pgrp … utime (14) stime (15).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(fields[2]) !== groupId) continue;
    const cpuTicks = Number(fields[11]) + Number(fields[12]);
    used.push({ pid, cpuTicks, pssKb: await readPss(pid) });
  }
  return used;
}

async function readPss(pid: string): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
}
