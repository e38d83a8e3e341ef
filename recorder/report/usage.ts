import { readdir, readFile } from 'node:fs/promises';

/** Clock ticks per second of /proc times on Linux (USER_HZ). */
const TICKS_PER_SECOND = 100;
/** Looking for a group's processes means reading all of /proc, and asking for memory makes the kernel walk all its pages: 0.1 core if done each second. */
const LOOK_MS = 5_000;
const MEMORY_MS = 10_000;

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
  const group = new ProcessGroup();
  let ownBefore = process.cpuUsage();
  let ownSeconds = 0;
  const meter: UsageMeter = {
    read: async (groupId) => {
      if (groupId !== undefined) await group.look(groupId);
      const own = process.cpuUsage();
      const usedUs = own.user + own.system - ownBefore.user - ownBefore.system;
      ownBefore = own;
      const share = 1 / Math.max(1, running.size);
      ownSeconds += (usedUs / 1e6) * share;
      return {
        cpuSeconds: group.cpuTicks / TICKS_PER_SECOND + ownSeconds,
        memoryMb: group.pssKb / 1024 + (process.memoryUsage.rss() / 2 ** 20) * share,
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

/** What the processes of a group have used, those that have ended included. */
class ProcessGroup {
  pssKb = 0;
  readonly #ticks = new Map<string, number>();
  #members: readonly string[] = [];
  #lookedAtMs = -Infinity;
  #memoryAtMs = -Infinity;

  get cpuTicks(): number {
    return [...this.#ticks.values()].reduce((sum, used) => sum + used, 0);
  }

  async look(groupId: number): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs >= LOOK_MS) {
      this.#lookedAtMs = nowMs;
      const names = await readdir('/proc').catch(() => []);
      this.#members = names.filter((name) => /^\d+$/.test(name));
    }
    const alive: string[] = [];
    for (const pid of this.#members) {
      const { group, ticks } = await readStat(pid);
      if (group !== groupId) continue;
      alive.push(pid);
      this.#ticks.set(pid, ticks);
    }
    this.#members = alive;
    if (nowMs - this.#memoryAtMs < MEMORY_MS) return;
    this.#memoryAtMs = nowMs;
    this.pssKb = 0;
    for (const pid of alive) this.pssKb += await readPss(pid);
  }
}

/** Fields after the command's closing parenthesis: state ppid pgrp … utime (14) stime (15). */
async function readStat(pid: string): Promise<{ readonly group: number; readonly ticks: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { group: Number(fields[2]), ticks: Number(fields[11]) + Number(fields[12]) };
}

async function readPss(pid: string): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
}
