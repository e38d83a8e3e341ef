import { delay, type Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../queue/embedded-redis.ts';

/** Between attempts to have it back. */
const RESTART_DELAY_MS = 500;

/** An embedded Redis that is started again when it dies; its address stays the same. */
export type RedisKeeper = Closable & {
  readonly url: string;
  readonly pid: () => number;
  readonly restarts: () => number;
};

/** Starts it and resolves when it answers. Throws what `startEmbeddedRedis` throws; later failures are logged and retried. */
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

  let redis = await start();
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
