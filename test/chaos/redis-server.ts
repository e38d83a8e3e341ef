import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Redis } from 'ioredis';
import { makeFolder } from '../../src/folders.ts';
import type { Closable } from '../../src/lifecycle.ts';
import { waitUntil } from '../support/wait-until.ts';

const START_TIMEOUT_MS = 10_000;

/** A Redis server of our own, lasting as the embedded one, that can be broken. */
export type RedisServer = Closable & {
  /** Of its socket, or by TCP when it has an address. */
  readonly url: string;
  /** A connection of our own. Closed with the server. */
  readonly client: Redis;
  readonly pid: () => number;
  /** kill -9: nobody restarts it. */
  readonly kill: () => Promise<void>;
  /** Starts it again with what it had written. */
  readonly restart: () => Promise<void>;
  readonly signal: (signal: 'SIGSTOP' | 'SIGCONT') => void;
};

/** Starts it in a folder, reachable by a Unix socket and, with `address`, by TCP there. It dies with this process. */
export async function startRedisServer(options: {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly address?: { readonly host: string; readonly port: number } | undefined;
}): Promise<RedisServer> {
  const { address, environment } = options;
  const folder = path.join(options.folder, 'redis');
  await makeFolder(folder);
  const socket = path.join(folder, 'redis.sock');
  const args = [
    ...['--pdeathsig', 'KILL', 'redis-server', '--dir', folder],
    ...['--unixsocket', socket, '--unixsocketperm', '700'],
    ...(address === undefined
      ? ['--port', '0']
      : ['--bind', address.host, '--port', `${address.port}`, '--protected-mode', 'no']),
    ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''],
    ...['--maxmemory-policy', 'noeviction', '--daemonize', 'no', '--loglevel', 'warning'],
  ];
  const start = (): ChildProcess =>
    spawn('setpriv', args, { detached: true, env: environment, stdio: 'ignore' });
  let child = start();
  const client = new Redis({
    path: socket,
    // A frozen server must not hold up who watches it.
    commandTimeout: 1000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 100,
  });
  client.on('error', () => undefined);
  const answers = async (): Promise<boolean> =>
    (await client.ping().catch(() => undefined)) === 'PONG';
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await gone;
  };
  const close = async (): Promise<void> => {
    client.disconnect();
    await end('SIGTERM');
  };
  try {
    await waitUntil('redis-server to answer', answers, START_TIMEOUT_MS);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: address === undefined ? `unix://${socket}` : `redis://${address.host}:${address.port}`,
    client,
    pid: () => child.pid ?? -1,
    kill: () => end('SIGKILL'),
    restart: async () => {
      child = start();
      await waitUntil('redis-server to answer again', answers, START_TIMEOUT_MS);
    },
    signal: (signal) => child.kill(signal),
    close,
  };
}
