import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { availableParallelism, hostname } from 'node:os';
import path from 'node:path';
import { systemClock } from '../src/clock.ts';
import type { Config } from '../src/config.ts';
import { delay, Resources } from '../src/lifecycle.ts';
import { createLog, type Log } from '../src/log.ts';
import { getPagesDir } from '../src/pages-dir.ts';
import {
  exitWhenParentDies,
  tellParent,
  whenToldToStop,
  type StopReason,
} from '../src/parent-watch.ts';
import { consumeRecordings } from '../src/queue/consume.ts';
import { openLeases } from '../src/queue/leases.ts';
import { openServices } from '../src/queue/open-services.ts';
import { findChromium } from '../src/chromium.ts';
import { startFleetClock } from './fleet-clock.ts';
import { keepSpareBrowser } from './keep-spare-browser.ts';
import { makeLane } from './lane/lane.ts';
import { LeaseKeeper } from './lane/lease-keeper.ts';
import { startPageServer } from './page-server.ts';
import { sweepWorkFolders } from './salvage/sweep.ts';
import type { SpareBrowser } from './spare-browser.ts';
import { WorkerLanes } from './lane/worker-lanes.ts';

/** With the supervisor gone, recordings get this long to reach their boundary and be published. */
const ORPHAN_GRACE_MS = 4_000;
/** Spools of dead workers are looked for this often. */
const SWEEP_EVERY_MS = 30_000;

/**
 * Makes recordings until it is told to stop: those that are queued, and those whose workers died or want to stop. On SIGTERM it hands its
 * own over; on SIGINT it ends them at the next boundary; when its supervisor has died, it leaves them at the next boundary.
 */
export async function runWorker(config: Config): Promise<void> {
  const toldToStop = whenToldToStop();
  exitWhenParentDies(ORPHAN_GRACE_MS);
  const log = createLog('recorder', config.logLevel);
  const resources = new Resources();
  try {
    const { lanes, orders, consumer, spare } = await openWorker(config, { log, resources });
    const slots = config.slots ?? availableParallelism();
    log.info({ event: 'worker-ready', concurrency: slots }, 'taking recordings');
    tellParent({ type: 'ready' });
    const reason = await toldToStop;
    log.info({ event: 'worker-stopping', reason }, 'stopping');
    const closing = Promise.all([lanes.close(), consumer.close(), spare?.close()]);
    await stopLanes(lanes, orders, { reason, drainMs: config.drainMs });
    await closing;
    // One may have begun while that was closed.
    await lanes.idle();
  } finally {
    await resources.close();
  }
}

type Orders = Readonly<Record<'draining' | 'leaving' | 'ending', AbortController>>;

async function openWorker(
  config: Config,
  { log, resources }: { readonly log: Log; readonly resources: Resources },
): Promise<{
  readonly lanes: WorkerLanes;
  readonly orders: Orders;
  readonly consumer: ReturnType<typeof consumeRecordings>;
  readonly spare: SpareBrowser | undefined;
}> {
  const chromium = findChromium(config);
  const pages = resources.use(await startPageServer(getPagesDir()));
  const services = resources.use(await openServices(config, log));
  const { client } = services.redis;
  const clock = resources.use(
    await startFleetClock({ clock: systemClock, readFleetMs: redisTime(client), log }),
  );
  const nowMs = (): number => clock.nowMs();
  const workerId = `${hostname()}-${process.pid}-${randomUUID().slice(0, 4)}`;
  const leases = openLeases(client, nowMs);
  const keeper = resources.use(new LeaseKeeper({ workerId, leases, clock: systemClock, log }));
  const orders = makeOrders();
  const workRoot = path.join(config.dataDir, 'work');
  const spare = config.hasSpareBrowser
    ? resources.use(keepSpareBrowser({ chromium, pages, log, workRoot, workerId }))
    : undefined;
  const lanes = new WorkerLanes({
    services,
    leases,
    workerId,
    log,
    slots: config.slots ?? availableParallelism(),
    mayMakeBothLanes: config.mayMakeBothLanes,
    make: (claim) =>
      makeLane(claim, {
        services,
        leases,
        keeper,
        chromium,
        pages,
        clock,
        log,
        workRoot,
        maxSpoolBytes: config.maxSpoolBytes,
        browserMs: config.browserMs,
        takeSpare: async (size) => spare?.take(size),
        orders: {
          draining: orders.draining.signal,
          leaving: orders.leaving.signal,
          ending: orders.ending.signal,
        },
        onSuccessor: (successor) => {
          lanes.run(successor, { isExtra: true });
        },
      }),
    onRoomChanged: () => {
      consumer.roomChanged();
    },
  });
  const consumer = consumeRecordings(services.redis, {
    log,
    hasRoom: () => lanes.hasRoom,
    handle: ({ recordingId }) => lanes.begin(recordingId),
  });
  resources.use(consumer);
  resources.use(lanes);
  lanes.startScanning();
  const isAlive = (id: string): Promise<boolean> => leases.isAlive(id);
  startSweeping(resources, () =>
    sweepWorkFolders(workRoot, { services, workerId, isAlive, nowMs, log }),
  );
  return { lanes, orders, consumer, spare };
}

function makeOrders(): Orders {
  const orders = {
    draining: new AbortController(),
    leaving: new AbortController(),
    ending: new AbortController(),
  };
  // Every lane listens: as many as there are slots is no leak.
  for (const { signal } of Object.values(orders)) setMaxListeners(0, signal);
  return orders;
}

async function stopLanes(
  lanes: WorkerLanes,
  orders: Orders,
  { reason, drainMs }: { readonly reason: StopReason; readonly drainMs: number },
): Promise<void> {
  if (reason === 'SIGINT') orders.ending.abort();
  else if (reason === 'parent-died') orders.leaving.abort();
  else {
    orders.draining.abort();
    const over = new AbortController();
    const grace = delay(drainMs, over.signal).then(() => orders.leaving.abort());
    grace.catch(() => undefined);
    await lanes.idle();
    over.abort();
  }
  await lanes.idle();
}

function startSweeping(resources: Resources, sweep: () => Promise<void>): void {
  let sweeping: Promise<void> = Promise.resolve();
  const next = (): void => {
    sweeping = sweeping.then(sweep).catch(() => undefined);
  };
  const timer = setInterval(next, SWEEP_EVERY_MS);
  next();
  resources.defer(async () => {
    clearInterval(timer);
    await sweeping;
  });
}

/** Redis keeps the fleet's time. */
function redisTime(client: { time(): Promise<unknown> }): () => Promise<number> {
  return async () => {
    const [seconds, micros] = (await client.time()) as [number | string, number | string];
    return Number(seconds) * 1000 + Number(micros) / 1000;
  };
}
