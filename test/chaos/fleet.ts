import { closeSync, openSync } from 'node:fs';
import { cp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { roleCommand } from '../../src/cli/role-command.ts';
import { makeFolder } from '../../src/folders.ts';
import type { Closable, Resources } from '../../src/lifecycle.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { servePages } from '../support/page-server.ts';
import { classPage } from './class-page.ts';
import { startRedisServer, type RedisServer } from './redis-server.ts';
import { openResources } from './resources.ts';
import { startRoleProcess, type RunningRole } from './role-process.ts';

const API_KEY = 'chaos-key-0123456789';
const LINK_SECRET = 'chaos-secret-0123456789';

export type FleetOptions = {
  /** Workers to start with, in order. Default two, plain. */
  readonly workers?: readonly WorkerOptions[];
  /** Where Redis and the class are reached; by default a socket, and loopback. */
  readonly address?: { readonly host: string; readonly port: number };
  readonly withHighlight?: boolean;
};

/** What differs for one worker. */
export type WorkerOptions = {
  /** Ahead of its command line: a program that runs it somewhere else. */
  readonly prefix?: readonly string[];
  /** Node's own arguments. */
  readonly nodeArgs?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly slots?: number;
};

/** The whole system as real processes, in a folder of its own, with a class to record. Close it; what then still runs is an orphan. */
export type Fleet = Closable & {
  /** Folder of everything; also in the environment of every process started. */
  readonly folder: string;
  readonly dataDir: string;
  readonly redis: RedisServer;
  readonly workers: () => readonly RunningRole[];
  readonly startWorker: (options?: WorkerOptions) => Promise<RunningRole>;
  readonly api: () => RunningRole;
  /** Starts another api at the same port. */
  readonly restartApi: () => Promise<void>;
  readonly classUrl: string;
  /** A request to the api with the key; the answer is not judged. */
  readonly request: (path: string, init?: RequestInit) => Promise<Response>;
  /** Roles that had to be killed at the end. */
  readonly stuck: () => readonly string[];
  /** What all roles have said so far. */
  readonly readLogs: () => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Copies the roles' logs. */
  readonly keepLogs: (folder: string) => Promise<void>;
};

/** Starts Redis, api, workers and, if asked for, highlight, and waits until all are ready. */
export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const resources = openResources();
  try {
    return await buildFleet(options, resources);
  } catch (error) {
    await resources.close();
    throw error;
  }
}

async function buildFleet(options: FleetOptions, resources: Resources): Promise<Fleet> {
  const folder = resources.use(await makeTempFolder('chaos')).path;
  const dataDir = path.join(folder, 'data');
  const base: NodeJS.ProcessEnv = { ...process.env, CHALKREEL_TEST_ID: folder };
  const { address } = options;
  const pages = resources.use(await servePages({ '/class': classPage() }, address?.host));
  const redis = resources.use(
    await startRedisServer({ folder: dataDir, environment: base, address }),
  );
  let port = 0;
  const settings = (): NodeJS.ProcessEnv => ({
    ...base,
    CHALKREEL_DATA_DIR: dataDir,
    CHALKREEL_REDIS_URL: redis.url,
    CHALKREEL_HOST: '127.0.0.1',
    CHALKREEL_PORT: String(port),
    CHALKREEL_API_KEYS: API_KEY,
    CHALKREEL_LINK_SECRETS: LINK_SECRET,
    CHALKREEL_LOG_LEVEL: 'info',
  });
  const roles: RunningRole[] = [];
  const start = async (
    name: string,
    command: readonly string[],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<RunningRole> => {
    const output = openSync(path.join(folder, `${name}.log`), 'a');
    try {
      const all = { ...settings(), ...environment };
      const role = await startRoleProcess({ name, command, environment: all, output });
      roles.push(resources.use(role));
      return role;
    } finally {
      closeSync(output);
    }
  };
  const startApi = (): Promise<RunningRole> => start('api', roleCommand('src/api/main'));
  const workers: RunningRole[] = [];
  const startWorker = async (worker: WorkerOptions = {}): Promise<RunningRole> => {
    const [node, ...args] = roleCommand('recorder/main');
    const { prefix = [], nodeArgs = [], environment, slots = 2 } = worker;
    const command = [...prefix, node, ...nodeArgs, ...args, '--worker'];
    const name = `worker-${workers.length + 1}`;
    const started = await start(name, command, {
      CHALKREEL_SLOTS: String(slots),
      ...environment,
    });
    workers.push(started);
    return started;
  };
  let api = await startApi();
  port = api.port;
  if (options.withHighlight === true) await start('highlight', roleCommand('highlight/main'));
  // One after the other, so that the first one is idle and takes the recording.
  for (const worker of options.workers ?? [{}, {}]) await startWorker(worker);
  return {
    folder,
    dataDir,
    redis,
    workers: () => workers,
    startWorker,
    api: () => api,
    restartApi: async () => {
      api = await startApi();
    },
    classUrl: `${pages.url}/class`,
    request: (link, init = {}) =>
      fetch(new URL(link, `http://127.0.0.1:${port}`), {
        ...init,
        headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      }),
    stuck: () => roles.filter((role) => role.wasStuck()).map(({ name }) => name),
    readLogs: async () => {
      const texts = await Promise.all((await listLogs(folder)).map((log) => readFile(log, 'utf8')));
      return texts.flatMap(parseLog);
    },
    keepLogs: async (to) => {
      await makeFolder(to);
      for (const log of await listLogs(folder)) await cp(log, path.join(to, path.basename(log)));
    },
    close: () => resources.close(),
  };
}

async function listLogs(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => name.endsWith('.log')).map((name) => path.join(folder, name));
}

/** Whole lines of JSON; what Node or a killed process wrote otherwise is left out. */
function parseLog(text: string): Readonly<Record<string, unknown>>[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Record<string, unknown>];
    } catch {
      return [];
    }
  });
}
