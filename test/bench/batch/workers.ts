import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Resources, withDeadline, type Closable } from '../../../src/lifecycle.ts';
import { descendantsOf } from '../../support/processes.ts';
import type { TestServices } from '../../support/test-services.ts';

const START_MS = 60_000;
/** Of the kernel's CPU times; USER_HZ is 100 on every Linux that matters. */
const TICKS_PER_SECOND = 100;

/** A batch worker as a process of its own, in a group of its own. */
export type BatchWorker = Closable & {
  readonly pid: number;
  /** CPU of it and of its encoders, those that have ended too, s. */
  cpuSeconds(): Promise<number>;
  /** Ends it as an accident would; resolves when it is gone. */
  kill(): Promise<void>;
};

/** Starts batch workers on the services' Redis and storage, each with one chunk at a time; ready when they resolve. */
export async function startBatchWorkers(
  services: TestServices,
  count: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Closable & { readonly workers: readonly BatchWorker[] }> {
  const resources = new Resources();
  try {
    const workers = await Promise.all(
      Array.from({ length: count }, () => startBatchWorker(services, env)),
    );
    for (const worker of workers) resources.use(worker);
    return { workers, close: () => resources.close() };
  } catch (error) {
    await resources.close();
    throw error;
  }
}

/** Starts one. */
export async function startBatchWorker(
  services: TestServices,
  env: Readonly<Record<string, string>> = {},
): Promise<BatchWorker> {
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), 'src/batch/main.ts'],
    {
      env: {
        PATH: process.env.PATH,
        CHALKREEL_DATA_DIR: services.dataDir,
        CHALKREEL_REDIS_URL: services.redisUrl,
        CHALKREEL_BATCH_JOBS: '1',
        CHALKREEL_BATCH_CRON: 'off',
        CHALKREEL_LOG_LEVEL: 'error',
        ...env,
      },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  const exited = once(child, 'exit');
  exited.catch(() => undefined);
  try {
    await withDeadline(untilReady(child), START_MS, () => new Error('no batch worker started'));
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const pid = child.pid ?? 0;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return {
    pid,
    cpuSeconds: async () => {
      const family = [pid, ...(await descendantsOf(pid)).map((child) => child.pid)];
      const seconds = await Promise.all(
        family.map((one) => readCpuSeconds(one).catch(() => 0)), // ended meanwhile
      );
      return seconds.reduce((sum, own) => sum + own, 0);
    },
    kill: () => end('SIGKILL'),
    close: () => end('SIGTERM'),
  };
}

async function untilReady(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.on('message', ({ type }: { readonly type?: string }) => {
      if (type === 'ready') resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`a batch worker ended with ${String(code)}`)));
  });
}

/** proc(5): behind the name in brackets, utime and stime are the 12th and 13th field, those of ended children follow. */
async function readCpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / TICKS_PER_SECOND;
}
