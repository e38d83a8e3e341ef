import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { systemClock } from '../src/clock.ts';
import type { Config } from '../src/config.ts';
import { Resources } from '../src/lifecycle.ts';
import { createLog } from '../src/log.ts';
import { getPagesDir } from '../src/pages-dir.ts';
import { exitWhenParentDies, tellParent, whenToldToStop } from '../src/parent-watch.ts';
import { consumeRecordings } from '../src/queue/consume.ts';
import { openServices } from '../src/queue/open-services.ts';
import { findChromium } from '../src/chromium.ts';
import { startFleetClock } from './fleet-clock.ts';
import { startPageServer } from './page-server.ts';
import { recordJob } from './record-job.ts';

/** With the supervisor gone, recordings get this long to reach their boundary and be published. */
const ORPHAN_GRACE_MS = 4_000;

/**
 * Takes recordings from the queue until it is told to stop; those it makes then are ended as they should be. When its supervisor
 * has died instead, it records to the next boundary and gives them back: whoever comes next goes on with them.
 */
export async function runWorker(config: Config): Promise<void> {
  const toldToStop = whenToldToStop();
  let isOrphaned = false;
  void toldToStop.then((reason) => {
    isOrphaned = reason === 'parent-died';
  });
  exitWhenParentDies(ORPHAN_GRACE_MS);
  const log = createLog('recorder', config.logLevel);
  const resources = new Resources();
  try {
    const chromium = findChromium(config);
    const pages = resources.use(await startPageServer(getPagesDir()));
    const services = resources.use(await openServices(config, log));
    const clock = resources.use(
      await startFleetClock({ clock: systemClock, readFleetMs: redisTime(services.redis), log }),
    );
    const concurrency = config.slots ?? availableParallelism();
    resources.use(
      consumeRecordings(services.redis, {
        concurrency,
        log,
        handle: ({ recordingId }, signal) =>
          recordJob(recordingId, {
            services,
            chromium,
            pages,
            clock,
            log: log.child({ recordingId }),
            workDir: path.join(
              config.dataDir,
              'work',
              `${recordingId}-${randomUUID().slice(0, 8)}`,
            ),
            stopSignal: signal,
            isHandingOver: () => isOrphaned,
          }),
      }),
    );
    log.info({ event: 'worker-ready', concurrency }, 'taking recordings');
    tellParent({ type: 'ready' });
    log.info({ event: 'worker-stopping', reason: await toldToStop }, 'stopping');
  } finally {
    await resources.close();
  }
}

/** Redis keeps the fleet's time. */
function redisTime(redis: {
  readonly client: { time(): Promise<unknown> };
}): () => Promise<number> {
  return async () => {
    const [seconds, micros] = (await redis.client.time()) as [number | string, number | string];
    return Number(seconds) * 1000 + Number(micros) / 1000;
  };
}
