import { spawn } from 'node:child_process';
import { deferred, withDeadline, type Closable } from '../../src/lifecycle.ts';

/** A cold start by tsx on a busy machine. */
const READY_TIMEOUT_MS = 60_000;
/** A role that records nothing any more ends at once; one that drains has handed over or finished by then. */
const END_TIMEOUT_MS = 20_000;

/** How a process ended: its exit code or signal. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A role as a real process in a group of its own; nobody restarts it. Closing ends it with SIGTERM, and its group by force. */
export type RunningRole = Closable & {
  readonly name: string;
  readonly pid: number;
  /** Of the api; 0 for others. */
  readonly port: number;
  readonly exited: Promise<Exit>;
  readonly isRunning: () => boolean;
  /** To this process alone, not to its group. */
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Whether it had to be killed, since it did not end when it was told to. */
  readonly wasStuck: () => boolean;
};

/** Starts a role and waits until it says that it is ready. Throws when it ends before; the caller closes it. */
export async function startRoleProcess(options: {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** File descriptor of its log. */
  readonly output: number;
}): Promise<RunningRole> {
  const { name, command, environment, output } = options;
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    detached: true,
    env: environment,
    stdio: ['ignore', output, output, 'ipc'],
  });
  const ready = deferred<number>();
  const exited = deferred<Exit>();
  child.once('error', ready.reject);
  child.on('message', (message: { type?: string; port?: number }) => {
    if (message.type === 'ready' || message.type === 'listening') ready.resolve(message.port ?? 0);
  });
  child.once('exit', (code, signal) => {
    exited.resolve({ code, signal });
    ready.reject(new Error(`${name} ended before it was ready: ${signal ?? `code ${code}`}`));
  });
  let isStuck = false;
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await withDeadline(exited.promise, END_TIMEOUT_MS, () => new Error('stuck')).catch(() => {
        isStuck = true;
      });
    }
    killGroup(child.pid);
    if (isStuck) await exited.promise;
  };
  try {
    const port = await withDeadline(
      ready.promise,
      READY_TIMEOUT_MS,
      () => new Error(`${name} was not ready within ${READY_TIMEOUT_MS / 1000} s`),
    );
    return {
      name,
      pid: child.pid ?? -1,
      port,
      exited: exited.promise,
      isRunning: () => child.exitCode === null && child.signalCode === null,
      kill: (signal) => child.kill(signal),
      wasStuck: () => isStuck,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
}
