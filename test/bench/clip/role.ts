import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Closable } from '../../../src/lifecycle.ts';
import { TEST_API_KEY, TEST_LINK_SECRET } from '../../support/api-server.ts';
import type { TestServices } from '../../support/test-services.ts';

const START_MS = 60_000;

export type StartedRole = Closable & {
  readonly pid: number;
  /** Where the api listens; 0 for others. */
  readonly port: number;
};

/** Starts a role as a process of its own, as the supervisor does, on the services' Redis and storage. */
export async function startRole(
  main: 'src/api/main.ts' | 'highlight/main.ts',
  services: TestServices,
): Promise<StartedRole> {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main], {
    env: {
      PATH: process.env.PATH,
      CHALKREEL_DATA_DIR: services.dataDir,
      CHALKREEL_REDIS_URL: services.redis.url,
      CHALKREEL_API_KEYS: TEST_API_KEY,
      CHALKREEL_LINK_SECRETS: TEST_LINK_SECRET,
      CHALKREEL_PORT: '0',
      CHALKREEL_LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const told = new Promise<number>((resolve, reject) => {
    child.on('message', (message: { type: string; port?: number }) => {
      if (['ready', 'listening'].includes(message.type)) resolve(message.port ?? 0);
    });
    child.once('exit', (code) => reject(new Error(`${main} ended with ${String(code)}`)));
    setTimeout(
      () => reject(new Error(`${main} did not start within ${START_MS} ms`)),
      START_MS,
    ).unref();
  });
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  try {
    return { pid: child.pid ?? 0, port: await told, close };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}
