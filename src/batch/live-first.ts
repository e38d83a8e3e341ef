import { delay, type Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';

/** How often is looked what the host's recorder does: a recording's lease is taken seconds before its first picture. */
const LOOK_MS = 500;
/** Who stands still for so long gives its chunks back: another host may have room. */
const PATIENCE_MS = 120_000;

export type LiveFirstOptions = {
  /** Live recordings on this host. */
  readonly count: () => Promise<number>;
  /** So many leave the batch its CPU. */
  readonly most: number;
  readonly log: Log;
  /** Stop all encoders of this process where they are, and let them go on. */
  readonly halt: () => void;
  readonly goOn: () => void;
  readonly onChanged: () => void;
  readonly patienceMs?: number;
  readonly lookMs?: number;
};

/** Whether this host's CPU is its live recordings'. */
export type LiveFirst = Closable & {
  readonly isPaused: () => boolean;
  /** How long it has stood still in all, ms. */
  readonly pausedMs: () => number;
  /** Aborts when it stands still for too long; another one then takes its place. */
  readonly givesWay: () => AbortSignal;
};

/**
 * Gives live recordings of this host its CPU: while there are more than `most`, encoders stand still and no chunk is taken. When it is not
 * known how many there are, because Redis is away, all stays as it is.
 */
export async function startLiveFirst(options: LiveFirstOptions): Promise<LiveFirst> {
  const { log, most, patienceMs = PATIENCE_MS } = options;
  let pausedSince: number | undefined;
  let pausedBeforeMs = 0;
  let way = new AbortController();
  const enter = (live: number): void => {
    if (live > most === (pausedSince !== undefined)) return;
    if (pausedSince === undefined) {
      pausedSince = performance.now();
      options.halt();
    } else {
      pausedBeforeMs += performance.now() - pausedSince;
      pausedSince = undefined;
      way = new AbortController();
      options.goOn();
    }
    log.info({
      event: pausedSince === undefined ? 'batch-goes-on' : 'batch-gives-way',
      live,
      most,
    });
    options.onChanged();
  };
  const look = async (): Promise<void> => {
    enter(await options.count());
    const stoodMs = pausedSince === undefined ? 0 : performance.now() - pausedSince;
    if (stoodMs > patienceMs)
      way.abort(new Error('Live recordings have had this host for too long'));
  };
  const closing = new AbortController();
  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await delay(options.lookMs ?? LOOK_MS, closing.signal).catch(() => undefined);
      await look().catch((error: unknown) => log.debug({ event: 'live-not-counted', err: error }));
    }
  };
  await look();
  const running = run();
  return {
    isPaused: () => pausedSince !== undefined,
    pausedMs: () =>
      pausedBeforeMs + (pausedSince === undefined ? 0 : performance.now() - pausedSince),
    givesWay: () => way.signal,
    async close() {
      closing.abort(new Error('closed'));
      await running;
      if (pausedSince !== undefined) options.goOn();
    },
  };
}
