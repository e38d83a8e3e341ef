import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';

export type Outcome = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** A running `chalkreel`; what it said so far, and how it ended. */
export type RunningCommand = {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly finished: Promise<Outcome>;
};

const CLI = ['--import', import.meta.resolve('tsx'), path.resolve('src/cli/main.ts')];

/**
 * Starts `chalkreel` with these arguments. `marker` is put into its environment, so that `processesWith` finds it and all it
 * starts. The caller ends it.
 */
export function startCommand(
  args: readonly string[],
  options: { readonly marker: string; readonly env?: NodeJS.ProcessEnv },
): RunningCommand {
  const child = spawn(process.execPath, [...CLI, ...args], {
    env: {
      ...process.env,
      CHALKREEL_LOG_LEVEL: 'silent',
      CHALKREEL_TEST_ID: options.marker,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
  const finished = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    // `exit` and not `close`: what it left running may hold its output open.
    child.once('exit', (code) => {
      setImmediate(() => {
        resolve({ code, ...said });
      });
    });
  });
  return { child, stdout: () => said.stdout, finished };
}
