import { createServer } from 'node:net';
import { z } from 'zod';
import { findChromium } from '../chromium.ts';
import { childEnvironment, type Config } from '../config.ts';
import { ChalkreelError } from '../errors.ts';
import { deferred, delay, Resources, withDeadline, type Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { openRedis } from '../queue/connection.ts';
import { startListening } from '../start-listening.ts';
import { openObjectStore } from '../storage/objects/open-object-store.ts';
import { startRedisKeeper } from './redis-keeper.ts';
import { roleCommand } from './role-command.ts';
import { startRole, type RoleProcess } from './role-process.ts';
import { withSecrets } from './secrets.ts';

/** A cold tsx start on a busy machine takes a few seconds. */
const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 50;

const announcementSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('listening'), port: z.number().int() }),
  z.object({ type: z.literal('ready') }),
]);

/** A role the system is made of, and what it tells by IPC once it can work: its port, where it answers `/readyz`, or just that. */
export type RoleSpec = {
  readonly name: string;
  readonly command: readonly string[];
  /** Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  readonly stopGraceMs: number;
  readonly announces?: 'port' | 'ready';
};

/** In the order of starting; stopped in the opposite order, so recordings are finished while all they need is there. */
export const SYSTEM_ROLES: readonly RoleSpec[] = [
  { name: 'api', command: roleCommand('src/api/main'), stopGraceMs: 5_000, announces: 'port' },
  {
    name: 'highlight',
    command: roleCommand('highlight/main'),
    stopGraceMs: 15_000,
    announces: 'ready',
  },
  {
    name: 'recorder',
    command: [...roleCommand('recorder/main'), '--worker'],
    // The whole system ends, so recordings do: on SIGTERM it would look for somebody to go on with them.
    stopSignal: 'SIGINT',
    // To the next boundary, flush, upload, final playlist.
    stopGraceMs: 30_000,
    announces: 'ready',
  },
  // Nobody waits for it: what it does has the whole night.
  { name: 'batch', command: roleCommand('src/batch/main'), stopGraceMs: 10_000 },
];

export type SystemOptions = {
  readonly config: Config;
  readonly log: Log;
  readonly roles?: readonly RoleSpec[];
  /** File descriptor for the roles' logs; default 2, our stderr. */
  readonly output?: number;
};

/** The whole system on this machine. */
export type System = Closable & {
  /** Of the API: `http://127.0.0.1:8787`. */
  readonly url: string;
  readonly apiKey: string;
  /** The configuration the roles run with: Redis, port and secrets filled in. */
  readonly config: Config;
  readonly roles: readonly RoleProcess[];
};

/**
 * Starts Redis (embedded unless one is configured) and the roles as processes, and resolves when all are ready. What dies is
 * restarted. Close ends everything, recorder first. Throws `port-in-use`, `data-dir-in-use`,
 * `data-dir-not-writable`, `missing-program`, `chromium-missing`, `redis-unavailable`.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const resources = new Resources();
  try {
    // Found out before anything is started: the worker could only fail and be restarted for ever.
    findChromium(options.config);
    let config = await withSecrets(options.config);
    await openObjectStore(config);
    if (config.redisUrl === undefined) {
      const { dataDir } = config;
      const redis = resources.use(await startRedisKeeper({ dataDir, log: options.log }));
      config = { ...config, redisUrl: redis.url };
    } else {
      await (await openRedis(config.redisUrl, options.log)).close();
    }
    // Only now: what a killed system left running had it until Redis could be had.
    await assertPortFree(config);
    const started = await startRoles(options, config, resources);
    const host = ['0.0.0.0', '::'].includes(config.host) ? '127.0.0.1' : config.host;
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${started.config.port}`;
    if (started.config.port !== 0) await waitUntilReady(url, started.roles);
    const apiKey = String(config.apiKeys[0]);
    return { ...started, url, apiKey, close: () => resources.close() };
  } catch (error) {
    await resources.close();
    throw error;
  }
}

/** Found out before the api is started: it could only fail and be restarted for ever. */
async function assertPortFree({ host, port }: Config): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  await startListening(server, { host, port });
  await new Promise((resolve) => server.close(resolve));
}

async function startRoles(
  options: SystemOptions,
  initial: Config,
  resources: Resources,
): Promise<{ readonly config: Config; readonly roles: readonly RoleProcess[] }> {
  let config = initial;
  const roles: RoleProcess[] = [];
  const ready: Promise<unknown>[] = [];
  for (const spec of options.roles ?? SYSTEM_ROLES) {
    const { log, output = 2 } = options;
    const announcement = hearAnnouncement(spec.name);
    const program = { ...spec, environment: () => childEnvironment(config) };
    const events = { onMessage: announcement.hear, onExit: announcement.fail };
    roles.push(resources.use(startRole(program, { log, output, ...events })));
    // A restarted api must be found where it was.
    if (spec.announces === 'port') config = { ...config, port: await announcement.port };
    if (spec.announces === 'ready') ready.push(announcement.port);
  }
  await withDeadline(Promise.all(ready), READY_TIMEOUT_MS, () => notReady('The system', roles));
  return { config, roles };
}

/** The port a role tells of, 0 when it has none; rejects when the role ends before that, since what it lacks will not come by itself. */
function hearAnnouncement(name: string): {
  readonly port: Promise<number>;
  readonly hear: (message: unknown) => void;
  readonly fail: (detail: string) => void;
} {
  const { promise, resolve, reject } = deferred<number>();
  promise.catch(() => undefined); // nobody waits for a role that announces nothing
  return {
    port: promise,
    hear: (message) => {
      const parsed = announcementSchema.safeParse(message);
      if (parsed.success) resolve(parsed.data.type === 'listening' ? parsed.data.port : 0);
    },
    fail: (detail) => {
      const text = `The ${name} role could not start: ${detail}`;
      reject(new ChalkreelError('role-failed', text, { fault: 'dependency' }));
    },
  };
}

async function waitUntilReady(url: string, roles: readonly RoleProcess[]): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const response = await fetch(`${url}/readyz`).catch(() => undefined);
    if (response?.ok === true) return;
    if (performance.now() > deadline) throw notReady(`The API at ${url}`, roles);
    await delay(READY_POLL_MS);
  }
}

function notReady(what: string, roles: readonly RoleProcess[]): ChalkreelError {
  const names = roles.map(({ name, pid }) => `${name} ${pid() ?? 'dead'}`).join(', ');
  return new ChalkreelError('not-ready', `${what} did not get ready (${names})`, {
    fault: 'dependency',
  });
}
