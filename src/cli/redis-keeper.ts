import { ChalkreelError } from '../errors.ts';
import { delay, type Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../queue/embedded-redis.ts';

/** Between attempts to have it back. */
const RESTART_DELAY_MS = 500;
/** What a killed system leaves running is gone after 5 s; it holds the data folder until then. */
const PREDECESSOR_GONE_MS = 5_500;
const PREDECESSOR_POLL_MS = 100;

/** An embedded Redis that is started again when it dies; its address stays the same. */
export type RedisKeeper = Closable & {
  readonly url: string;
  readonly pid: () => number;
  readonly restarts: () => number;
};

/**
 * Starts it and resolves when it answers; waits for what a killed system has left to be gone. Throws what `startEmbeddedRedis`
 * throws; later failures are logged and retried.
 */
export async function startRedisKeeper(options: {
  readonly dataDir: string;
  readonly log: Log;
}): Promise<RedisKeeper> {
  const { log } = options;
  const closing = new AbortController();
  const isClosing = (): boolean => closing.signal.aborted;
  let restarts = 0;
  let restarting: Promise<void> = Promise.resolve();
  const start = (): Promise<EmbeddedRedis> => startEmbeddedRedis({ ...options, onExit });

  const onExit = (detail: string): void => {
    if (isClosing()) return;
    restarts++;
    log.error({ detail, restarts }, 'redis died, restarting');
    restarting = restarting.then(restart);
  };
  const restart = async (): Promise<void> => {
    while (!isClosing()) {
      try {
        await delay(RESTART_DELAY_MS, closing.signal);
        redis = await start();
        return;
      } catch (error) {
        if (!isClosing()) log.error({ err: error }, 'redis did not start');
      }
    }
  };

  let redis = await afterPredecessor(start);
  return {
    url: redis.url,
    pid: () => redis.pid,
    restarts: () => restarts,
    async close() {
      closing.abort();
      await restarting;
      await redis.close();
    },
  };
}

/** Tries again while another one has the data folder, for as long as one that is ending can have it. */
async function afterPredecessor(start: () => Promise<EmbeddedRedis>): Promise<EmbeddedRedis> {
  const deadline = performance.now() + PREDECESSOR_GONE_MS;
  for (;;) {
    try {
      return await start();
    } catch (error) {
      const isHeld = error instanceof ChalkreelError && error.code === 'data-dir-in-use';
      if (!isHeld || performance.now() > deadline) throw error;
      await delay(PREDECESSOR_POLL_MS);
    }
  }
}
