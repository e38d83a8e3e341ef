import { Redis } from 'ioredis';
import { ChalkreelError } from '../errors.ts';
import type { Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';

/** How long a first connection may take. */
const CONNECT_TIMEOUT_MS = 5000;
/** A command unanswered for this long fails: an API request must not hang on a lost Redis. */
const COMMAND_TIMEOUT_MS = 5000;
/** Reconnects are tried forever, at most this far apart. */
const MAX_RECONNECT_DELAY_MS = 1000;

/** A connection to Redis for commands: they fail within about 5 s when Redis is away, and it reconnects by itself. */
export type RedisConnection = Closable & {
  readonly url: string;
  readonly client: Redis;
  /** A second connection with no deadlines, for subscribers and blocking reads. Its opener closes it. */
  openBlocking(): Redis;
};

/**
 * Connects to `redis://`, `rediss://`, `unix:///path` or `/path`, and waits for the first answer.
 * Throws `redis-unavailable`, naming the address without its password.
 */
export async function openRedis(url: string, log: Log): Promise<RedisConnection> {
  const client = createClient(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 2,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
  });
  await connectOnce(client, url);
  watch(client, log);
  return {
    url,
    client,
    openBlocking: () =>
      watch(
        createClient(url, { maxRetriesPerRequest: null, connectTimeout: CONNECT_TIMEOUT_MS }),
        log,
      ),
    close: () => closeRedis(client),
  };
}

/** Ends a connection after the replies it still waits for; never throws. */
export async function closeRedis(client: Redis): Promise<void> {
  if (client.status === 'end') return;
  if (client.status !== 'ready') {
    client.disconnect();
    return;
  }
  await client.quit().catch(() => {
    client.disconnect();
  });
}

/** Whether a thrown value says that Redis cannot be reached or did not answer. */
export function isRedisUnavailable(error: unknown): boolean {
  if (error instanceof ChalkreelError) return error.code === 'redis-unavailable';
  if (!(error instanceof Error)) return false;
  if (error.name === 'MaxRetriesPerRequestError') return true;
  return /^(Command timed out|Connection is closed|Stream isn't writeable|LOADING |connect E)/.test(
    error.message,
  );
}

async function connectOnce(client: Redis, url: string): Promise<void> {
  let lastError: unknown;
  client.on('error', (error) => {
    lastError = error;
  });
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    client.disconnect();
    const cause = lastError ?? error;
    throw new ChalkreelError(
      'redis-unavailable',
      `Redis at ${withoutPassword(url)} does not answer: ${describe(cause)}`,
      { fault: 'dependency', cause },
    );
  }
  client.removeAllListeners('error');
}

/** The settings that differ between connections. */
type Patience = {
  readonly maxRetriesPerRequest: number | null;
  readonly connectTimeout: number;
  readonly commandTimeout?: number;
  readonly lazyConnect?: boolean;
};

function createClient(url: string, patience: Patience): Redis {
  const common = {
    retryStrategy: (times: number) => Math.min(50 * 2 ** times, MAX_RECONNECT_DELAY_MS),
    enableReadyCheck: true,
    ...patience,
  };
  const socketPath = url.startsWith('/') ? url : /^unix:\/\/(\/.*)$/.exec(url)?.[1];
  return socketPath === undefined
    ? new Redis(url, common)
    : new Redis({ path: decodeURIComponent(socketPath), ...common });
}

/** Logs a loss once, not at each attempt to reconnect. */
function watch(client: Redis, log: Log): Redis {
  let isLost = false;
  client.on('error', (error) => {
    if (!isLost) log.warn({ err: error }, 'redis connection lost');
    isLost = true;
  });
  client.on('ready', () => {
    if (isLost) log.info('redis connection restored');
    isLost = false;
  });
  return client;
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
