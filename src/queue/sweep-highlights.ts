import type { Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { isPending } from '../model/highlight.ts';
import type { HighlightRepository } from '../storage/records/highlight-repository.ts';
import type { WorkQueue } from './services.ts';

/** How often it is looked for highlights that nobody works on. */
const SWEEP_MS = 10_000;
/** Whoever stored a highlight younger than this is about to ask for its clip. */
const FRESH_MS = 2_000;

export type SweepServices = {
  readonly highlights: HighlightRepository;
  readonly queue: WorkQueue;
  readonly log: Log;
  /** The fleet's clock, Unix ms. */
  readonly fleetNowMs: () => Promise<number>;
};

/**
 * Asks again, at once and then every 10 s, for the clips of highlights that were stored but have no job: whoever stored them died before
 * asking, or their job was given up while Redis was away. Any number of processes may do so. Close it.
 */
export function startHighlightSweep(services: SweepServices): Closable {
  const { log } = services;
  let running: Promise<unknown> | undefined;
  const sweep = (): void => {
    running ??= sweepHighlights(services)
      .catch((error: unknown) => {
        log.warn({ event: 'highlight-sweep-failed', err: error });
      })
      .finally(() => {
        running = undefined;
      });
  };
  const timer = setInterval(sweep, SWEEP_MS);
  sweep();
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}

/** One round; resolves to the ids of the highlights whose clips were asked for again. */
export async function sweepHighlights({
  highlights,
  queue,
  log,
  fleetNowMs,
}: SweepServices): Promise<readonly string[]> {
  const pending = await highlights.listPending((await fleetNowMs()) - FRESH_MS);
  const asked: string[] = [];
  for (const id of await queue.findLostHighlights(pending)) {
    // A job is gone when it is done, and the record says so before: it may have been finished since it was listed.
    const highlight = await highlights.find(id);
    if (highlight === undefined || !isPending(highlight)) continue;
    await queue.enqueueHighlight(id, { windowEndMs: highlight.window.endMs });
    asked.push(id);
    log.warn({ event: 'highlight-found-without-job', highlightId: id });
  }
  return asked;
}
