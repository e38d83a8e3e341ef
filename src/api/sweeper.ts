import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { delay, type Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { Services } from '../queue/open-services.ts';
import { sweep, type Waiting } from '../storage/removal/retention.ts';

/** How often what has expired is deleted: the longest that something is kept too long. */
const SWEEP_EVERY_MS = 60_000;

const LOCK_KEY = 'chalkreel:sweeper';

export type SweeperOptions = {
  readonly services: Services;
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMs?: number;
};

/**
 * Deletes what has expired, now and then. Every api process has one; the first to take the lock sweeps, and holds it until the next sweep is
 * due. Closing waits for the step under way.
 */
export function startSweeper(options: SweeperOptions): Closable {
  const { everyMs = SWEEP_EVERY_MS } = options;
  const known: Waiting = new Map();
  const closing = new AbortController();
  const run = async (): Promise<void> => {
    for (;;) {
      await delay(everyMs, closing.signal);
      await sweepIfDue({ ...options, everyMs, known }, closing.signal).catch((error: unknown) => {
        options.log.warn({ event: 'sweep-failed', err: error });
      });
    }
  };
  const ended = run().catch(() => undefined);
  return {
    async close() {
      closing.abort(new Error('The sweeper is closed'));
      await ended;
    },
  };
}

async function sweepIfDue(
  {
    services,
    clock,
    log,
    everyMs,
    known,
  }: SweeperOptions & { readonly everyMs: number; readonly known: Waiting },
  signal: AbortSignal,
): Promise<void> {
  const { client } = services.redis;
  const token = randomUUID();
  if ((await client.set(LOCK_KEY, token, 'PX', everyMs, 'NX')) === null) return;
  // A sweep may take longer than the lock would last; another process that takes it then does no harm, only work twice.
  const onStep = async (): Promise<boolean> => {
    await client.pexpire(LOCK_KEY, everyMs);
    return !signal.aborted;
  };
  const done = await sweep(services, { nowMs: clock.nowMs(), onStep, known });
  if (done.expired + done.removed + done.expiredShares > 0) log.info({ event: 'swept', ...done });
}
