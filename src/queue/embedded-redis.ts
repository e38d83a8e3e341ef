import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { ChalkreelError, inputError } from '../errors.ts';
import { delay, type Closable } from '../lifecycle.ts';
import { makeFolder } from '../folders.ts';
import type { Log } from '../log.ts';
import { findProgram } from '../programs.ts';
import { withLastWill } from './last-will.ts';

/** A loaded machine with a large append-only file needs time to replay it. */
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 25;
/** After SHUTDOWN it has this long before it is killed. */
const STOP_TIMEOUT_MS = 10_000;
/** After our death clients get this long: nothing of a killed system may be there for more than 5 s. */
const LINGER_MS = 4_000;
/** A Unix socket's path is at most 107 bytes long (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107;
/** What `flock` answers when another process holds the lock. */
const LOCKED_EXIT_CODE = 75;

export type EmbeddedRedisOptions = {
  /** Redis keeps its files in `<dataDir>/redis`. */
  readonly dataDir: string;
  readonly log: Log;
  /** Called when the server ends without having been asked to. */
  readonly onExit?: (detail: string) => void;
  /** The program; tests give a missing one. */
  readonly program?: string;
};

export type EmbeddedRedis = Closable & { readonly url: string; readonly pid: number };

/**
 * Starts `redis-server` as a child on a Unix socket in the data folder, with an append-only file synced each
 * second, and resolves when it answers. Throws `data-dir-in-use` when another one serves this folder,
 * `missing-program`, `data-dir-not-writable`, `redis-unavailable`. When this process dies it ends with its last client,
 * after 4 s at the latest.
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const folder = await makeRedisFolder(options.dataDir);
  const socketPath = await planSocketPath(folder);
  const command = commandLine(folder, socketPath, options.program);
  const server = new ServerProcess(command, { ...options, socketPath });
  try {
    await waitUntilAnswering(server, socketPath, options.dataDir);
  } catch (error) {
    await server.kill();
    throw error;
  }
  return {
    url: `unix://${socketPath}`,
    pid: server.pid,
    close: () => server.stop(socketPath),
  };
}

/** Where the Redis of a data folder answers while it runs. */
export async function embeddedRedisUrl(dataDir: string): Promise<string> {
  return `unix://${await planSocketPath(redisFolder(dataDir))}`;
}

function redisFolder(dataDir: string): string {
  return path.join(dataDir, 'redis');
}

async function makeRedisFolder(dataDir: string): Promise<string> {
  const folder = redisFolder(dataDir);
  try {
    await makeFolder(folder);
    await chmod(folder, 0o700);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw inputError(
      'CHALKREEL_DATA_DIR',
      `The data folder ${dataDir} is not writable: ${reason}`,
      'data-dir-not-writable',
    );
  }
  return folder;
}

/** In the folder, or in the system's temporary folder where that path would be too long. */
async function planSocketPath(folder: string): Promise<string> {
  const inFolder = path.join(folder, 'redis.sock');
  if (Buffer.byteLength(inFolder) <= MAX_SOCKET_PATH_BYTES) return inFolder;
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  const short = path.join(tmpdir(), `chalkreel-${hash}`);
  await mkdir(short, { recursive: true, mode: 0o700 });
  await chmod(short, 0o700);
  return path.join(short, 'redis.sock');
}

/** `flock` holds the folder for exactly as long as the server lives, whatever happens to us; without it the server runs bare. */
function commandLine(folder: string, socketPath: string, program = 'redis-server'): string[] {
  const serverPath = findProgram(program);
  if (serverPath === undefined) {
    throw new ChalkreelError(
      'missing-program',
      `${program} is not installed: install it (Debian: apt-get install redis-server) or set CHALKREEL_REDIS_URL`,
      { fault: 'input', details: { field: 'CHALKREEL_REDIS_URL', program } },
    );
  }
  const flock = findProgram('flock');
  return [
    ...(flock === undefined
      ? []
      : [flock, '--nonblock', '--no-fork', '--conflict-exit-code', String(LOCKED_EXIT_CODE)]),
    ...(flock === undefined ? [] : [path.join(folder, 'lock')]),
    serverPath,
    // Reachable through the socket alone.
    ...['--port', '0', '--unixsocket', socketPath, '--unixsocketperm', '700'],
    // Lasting: at most the last second is lost with the machine, nothing with the process.
    ...['--dir', folder, '--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''],
    // BullMQ's condition: a queue must never be evicted.
    ...['--maxmemory-policy', 'noeviction', '--daemonize', 'no', '--loglevel', 'warning'],
  ];
}

async function waitUntilAnswering(
  server: ServerProcess,
  socketPath: string,
  dataDir: string,
): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (server.ended !== undefined) throw startError(server, dataDir);
    if (await answers(socketPath, server.pid)) return;
    await delay(POLL_MS);
  }
  throw startError(server, dataDir);
}

function startError(server: ServerProcess, dataDir: string): ChalkreelError {
  if (server.exitCode === LOCKED_EXIT_CODE) {
    return inputError(
      'CHALKREEL_DATA_DIR',
      `The data folder ${dataDir} is in use by another Chalkreel: stop it or choose another folder`,
      'data-dir-in-use',
    );
  }
  return new ChalkreelError('redis-unavailable', `redis-server did not start: ${server.report()}`, {
    fault: 'dependency',
  });
}

/** Whether the server with this pid answers on the socket, its files loaded. */
async function answers(socketPath: string, pid: number): Promise<boolean> {
  const client = new Redis({
    path: socketPath,
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: 1000,
    commandTimeout: 1000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const info = await client.info('server');
    await client.ping();
    return info.includes(`process_id:${pid}\r`);
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

/** The child, in its own process group so that a Ctrl-C in the terminal reaches only its parent. */
class ServerProcess {
  readonly pid: number;
  ended: string | undefined;
  exitCode: number | null = null;
  readonly #child: ChildProcess;
  readonly #command: string;
  readonly #exited: Promise<void>;
  readonly #startedAt = performance.now();
  #output = '';
  #isStopping = false;

  constructor(
    command: readonly string[],
    options: EmbeddedRedisOptions & { readonly socketPath: string },
  ) {
    this.#command = command.join(' ');
    const { socketPath } = options;
    const [program = '', ...args] = withLastWill(command, { socketPath, lingerMs: LINGER_MS });
    this.#child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    this.pid = this.#child.pid ?? -1;
    this.#collectOutput();
    this.#exited = new Promise((resolve) => {
      const end = (detail: string): void => {
        this.ended ??= detail;
        if (!this.#isStopping) options.onExit?.(this.report());
        resolve();
      };
      this.#child.once('error', (error) => {
        end(error.message);
      });
      this.#child.once('exit', (code, signal) => {
        this.exitCode = code;
        end(signal === null ? `exit code ${code}` : `signal ${signal}`);
      });
    });
  }

  /** What a person needs to know about how it ended. */
  report(): string {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    const lastLines = this.#output.trim().split('\n').slice(-20).join('\n');
    return `${this.ended ?? 'no answer'} after ${seconds} s: ${this.#command}\n${lastLines}`.trim();
  }

  async stop(socketPath: string): Promise<void> {
    this.#isStopping = true;
    if (this.ended !== undefined) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
    await rm(socketPath, { force: true });
  }

  async kill(): Promise<void> {
    this.#isStopping = true;
    if (this.ended !== undefined) return;
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #collectOutput(): void {
    const add = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-8192);
    };
    this.#child.stdout?.on('data', add);
    this.#child.stderr?.on('data', add);
  }
}
