import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { withDeadline, type Closable } from '../../../src/lifecycle.ts';

const END_TIMEOUT_MS = 20_000;

/** A program that prints JSON lines and ends when its stdin does. */
export type LineProcess = Closable & {
  /** The next line, within a time. */
  read(timeoutMs: number): Promise<Record<string, unknown>>;
  /** Ends its stdin; resolves with the last line. */
  finish(): Promise<Record<string, unknown>>;
};

/** Starts one of the programs beside this file in a process of its own; closing kills it. */
export function startLineProcess(program: string, args: readonly string[] = []): LineProcess {
  const file = path.join(import.meta.dirname, program);
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const read = async (timeoutMs: number): Promise<Record<string, unknown>> => {
    const late = (): Error => new Error(`${program}: no line within ${timeoutMs} ms`);
    const line = await withDeadline(lines.next(), timeoutMs, late);
    if (line.done === true) throw new Error(`${program} ended too soon`);
    return JSON.parse(line.value) as Record<string, unknown>;
  };
  return {
    read,
    finish: () => {
      child.stdin.end();
      return read(END_TIMEOUT_MS);
    },
    close: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
