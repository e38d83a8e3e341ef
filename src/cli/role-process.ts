import { spawn, type ChildProcess } from 'node:child_process';
import type { Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';

/** A role that dies is started again after this; twice as long each time, up to the longest. */
const FIRST_RESTART_DELAY_MS = 200;
const MAX_RESTART_DELAY_MS = 10_000;
/** Alive for this long, it counts as well, and its next death as its first. */
const HEALTHY_AFTER_MS = 30_000;
/** How often a group is looked at until it is gone. */
const GROUP_POLL_MS = 20;
/** SIGKILL needs a moment to be carried out. */
const GROUP_KILL_TIMEOUT_MS = 2000;

/** A program to keep running. */
export type RoleProgram = {
  readonly name: string;
  readonly command: readonly string[];
  /** Asked for anew at each start. */
  readonly environment: () => NodeJS.ProcessEnv;
  /** Tells it to end. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** After that it may take this long; then its whole group is killed. */
  readonly stopGraceMs: number;
};

export type RoleEvents = {
  readonly onMessage?: (message: unknown) => void;
  /** Before it is started again. */
  readonly onExit?: (detail: string) => void;
};

/** A running role. `close` ends it and everything in its process group. */
export type RoleProcess = Closable & {
  readonly name: string;
  /** Undefined between a death and the restart. */
  readonly pid: () => number | undefined;
  readonly restarts: () => number;
};

/**
 * Keeps a role running in a process group of its own, restarting it when it dies. It inherits `output` (file descriptor) for stdout and
 * stderr, not a pipe: so it can still log when we are gone. Its IPC channel tells it when that happens.
 */
export function startRole(
  program: RoleProgram,
  options: { readonly log: Log; readonly output: number } & RoleEvents,
): RoleProcess {
  const { log } = options;
  let child: ChildProcess | undefined;
  let restartTimer: NodeJS.Timeout | undefined;
  let restarts = 0;
  let failuresInARow = 0;
  let isClosing = false;
  let exited: Promise<void> = Promise.resolve();

  const start = (): void => {
    const startedAt = performance.now();
    const [file = '', ...args] = program.command;
    const started = spawn(file, args, {
      detached: true,
      env: program.environment(),
      stdio: ['ignore', options.output, options.output, 'ipc'],
    });
    child = started;
    started.on('message', (message) => options.onMessage?.(message));
    exited = new Promise((resolve) => {
      const end = (detail: string): void => {
        if (child !== started) return;
        child = undefined;
        killGroup(started.pid);
        resolve();
        if (isClosing) return;
        const seconds = (performance.now() - startedAt) / 1000;
        if (seconds * 1000 > HEALTHY_AFTER_MS) failuresInARow = 0;
        options.onExit?.(detail);
        planRestart(detail, seconds);
      };
      started.once('error', (error) => end(error.message));
      started.once('exit', (code, signal) => end(signal ?? `exit code ${code}`));
    });
  };

  const planRestart = (detail: string, seconds: number): void => {
    if (isClosing) return;
    const delayMs = restartDelayMs(failuresInARow);
    failuresInARow++;
    restarts++;
    log.warn({ child: program.name, detail, seconds, restarts, delayMs }, 'role died, restarting');
    restartTimer = setTimeout(start, delayMs);
  };

  const close = async (): Promise<void> => {
    isClosing = true;
    clearTimeout(restartTimer);
    const pid = child?.pid;
    if (child === undefined || pid === undefined) return;
    const startedAt = performance.now();
    child.kill(program.stopSignal ?? 'SIGTERM');
    const timer = setTimeout(() => {
      log.error(
        { child: program.name, graceMs: program.stopGraceMs },
        'role did not stop, killing it',
      );
      killGroup(pid);
    }, program.stopGraceMs);
    await exited;
    clearTimeout(timer);
    await groupGone(pid);
    log.debug({ child: program.name, ms: performance.now() - startedAt }, 'role stopped');
  };

  start();
  let closing: Promise<void> | undefined;
  return {
    name: program.name,
    pid: () => child?.pid,
    restarts: () => restarts,
    close: () => (closing ??= close()),
  };
}

/** How long to wait before a role is started again, ms, after so many deaths in a row before this one. */
export function restartDelayMs(earlierFailures: number): number {
  return Math.min(FIRST_RESTART_DELAY_MS * 2 ** earlierFailures, MAX_RESTART_DELAY_MS);
}

/** Kills what a process left in its group; it is the group's leader. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is empty.
  }
}

async function groupGone(pid: number): Promise<void> {
  const deadline = performance.now() + GROUP_KILL_TIMEOUT_MS;
  while (performance.now() < deadline) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, GROUP_POLL_MS));
  }
}
