import { spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import type { Closable } from '../../src/lifecycle.ts';

const COLUMNS = 120;

/** A command in a terminal: what it shows there, and keys pressed. Closing kills what still runs of it. */
export type Terminal = Closable & {
  /** Everything written to the terminal so far, control sequences included. */
  shown(): string;
  pressCtrlC(): void;
  /** Resolves to the command's exit code. */
  readonly exited: Promise<number | null>;
};

/**
 * Runs a command in a pseudo-terminal (`script`, util-linux) of 120 columns. Its stdout goes to a file, so that the
 * terminal shows stderr alone.
 */
export function openTerminal(
  command: readonly string[],
  options: { readonly stdoutFile: string; readonly env: Readonly<Record<string, string>> },
): Terminal {
  const line = `stty cols ${COLUMNS}; exec ${command.map(quote).join(' ')} >${quote(options.stdoutFile)}`;
  closeSync(openSync(options.stdoutFile, 'w'));
  const child = spawn('script', ['-qefc', line, '/dev/null'], {
    env: { ...process.env, ...options.env, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  return {
    shown: () => shown,
    pressCtrlC: () => void child.stdin.write('\u0003'),
    exited,
    async close() {
      // The terminal goes with `script`: the kernel hangs up on what runs in it.
      if (child.exitCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
