import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BatchConfig } from '../config.ts';
import { findProgram } from '../programs.ts';

const PROBE_TIMEOUT_MS = 5_000;

/**
 * How a batch worker's encoders are started: each dies with the worker, however that dies, and at `idle` runs only while nobody else wants the
 * CPU (SCHED_IDLE, beside the lowest priority). What this machine does not have or does not allow is left out.
 */
export async function findLauncher(priority: BatchConfig['priority']): Promise<readonly string[]> {
  const idle = [
    ['nice', '-n', '19'],
    ['chrt', '--idle', '0'],
  ];
  const wishes = [['setpriv', '--pdeathsig', 'KILL'], ...(priority === 'idle' ? idle : [])];
  const usable = await Promise.all(
    wishes.map(async (command) => ((await isUsable(command)) ? command : [])),
  );
  return usable.flat();
}

async function isUsable([name = '', ...args]: readonly string[]): Promise<boolean> {
  const program = findProgram(name);
  if (program === undefined) return false;
  const options = { timeout: PROBE_TIMEOUT_MS };
  return promisify(execFile)(program, [...args, 'true'], options).then(
    () => true,
    () => false,
  );
}
