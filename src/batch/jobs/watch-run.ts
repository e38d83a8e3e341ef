import { setMaxListeners } from 'node:events';
import type { Closable } from '../../lifecycle.ts';
import type { ReencodeRun } from '../../model/reencode-run.ts';
import { findCurrentNight } from '../night.ts';
import type { BatchParts } from './parts.ts';
import { isWanted } from './run-state.ts';

/** Why a job is broken off although nothing is wrong with it. `over`: nobody wants it any more. Else it is done later. */
export type Interruption = 'over' | { readonly retryAfterMs: number };

/** The night's end, and a host that has become busy: somebody else may take it at once, or this one when it may again. */
const LATER_MS = 1_000;

class Interrupted extends Error {
  readonly interruption: Interruption;

  constructor(message: string, interruption: Interruption) {
    super(message);
    this.interruption = interruption;
  }
}

/**
 * Watches over a job: its signal aborts as soon as its run is cancelled, given up, or its recording deleted, when the night that it belongs
 * to ends, when this host has been its live recordings' for too long, and with `outer`.
 */
export async function watchRun(
  run: ReencodeRun,
  recordingId: string,
  outer: AbortSignal,
  parts: BatchParts,
): Promise<Closable & { readonly signal: AbortSignal }> {
  const own = new AbortController();
  const end = (message: string, interruption: Interruption): void => {
    own.abort(new Interrupted(message, interruption));
  };
  const way = parts.live.givesWay();
  const onWay = (): void => end('Live recordings come first', { retryAfterMs: LATER_MS });
  way.addEventListener('abort', onWay, { once: true });
  const subscription = await parts.services.recordings.subscribe(recordingId, (recording) => {
    if (!isWanted(recording, run.id)) end('The re-encode is over', 'over');
  });
  const timer = run.night === null ? undefined : await timeNight(parts, end);
  const signal = AbortSignal.any([outer, own.signal]);
  setMaxListeners(0, signal);
  return {
    signal,
    async close() {
      clearTimeout(timer);
      way.removeEventListener('abort', onWay);
      await subscription.close();
    },
  };
}

/** Why a watched signal aborted; undefined when it did not, or when that is somebody else's to say. */
export function interruptionOf(signal: AbortSignal): Interruption | undefined {
  const reason: unknown = signal.reason;
  return reason instanceof Interrupted ? reason.interruption : undefined;
}

async function timeNight(
  parts: BatchParts,
  end: (message: string, interruption: Interruption) => void,
): Promise<NodeJS.Timeout | undefined> {
  const nowMs = parts.clock.nowMs();
  const night = await findCurrentNight(parts, nowMs);
  if (night === undefined) return undefined;
  return setTimeout(() => {
    end('The night is over', { retryAfterMs: LATER_MS });
  }, night.endsAtMs - nowMs);
}
