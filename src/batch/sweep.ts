import { ChalkreelError } from '../errors.ts';
import { delay, type Closable } from '../lifecycle.ts';
import { isOpenRun } from '../model/reencode-run.ts';
import { traceOf } from '../model/recording.ts';
import type { BatchParts } from './jobs/parts.ts';
import { failRun, isWanted } from './jobs/run-state.ts';

/** How often is looked for re-encodes that nobody works on. */
const SWEEP_MS = 10_000;
/** Whoever stored one younger than this is about to ask for its jobs. */
const FRESH_MS = 3_000;

/**
 * Goes on, at once and then every 10 s, with re-encodes that were stored but have no job: whoever stored them died before asking, or Redis
 * was lost. Those whose jobs were given up are given up too, so that none stays open for ever. Every batch worker may do so.
 */
export function startReencodeSweep(parts: BatchParts): Closable {
  const closing = new AbortController();
  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await sweepReencodes(parts).catch((error: unknown) => {
        parts.log.warn({ event: 'reencode-sweep-failed', err: error });
      });
      await delay(SWEEP_MS, closing.signal).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async close() {
      closing.abort(new Error('closed'));
      await running;
    },
  };
}

/** One round. */
export async function sweepReencodes(parts: BatchParts): Promise<void> {
  const { services, clock, log } = parts;
  const { recordings, batch } = services;
  for (const recordingId of await recordings.listReencoding()) {
    const recording = await recordings.find(recordingId);
    for (const run of recording?.reencodes?.filter(isOpenRun) ?? []) {
      if (clock.nowMs() - run.requestedAtMs < FRESH_MS) continue;
      const jobs = await batch.findJobs(run.id);
      if (jobs.state === 'there') continue;
      // The record says so before a job is gone.
      const present = await recordings.find(recordingId);
      if (present === undefined || !isWanted(present, run.id)) continue;
      const ref = { recordingId, runId: run.id, traceId: traceOf(present) };
      if (jobs.state === 'failed') {
        const error = new ChalkreelError('job-failed', jobs.detail);
        await failRun(ref, error, { ...parts, log: log.child(ref) });
      } else {
        log.warn({ event: 'reencode-found-without-job', ...ref });
        await batch.enqueuePlan(ref, { isUrgent: run.night === null });
      }
    }
  }
}
