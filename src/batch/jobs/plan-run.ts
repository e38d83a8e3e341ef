import { SEGMENT_MS } from '../../model/grid.ts';
import type { JobAtWork } from './job-at-work.ts';
import type { BatchParts } from './parts.ts';
import { changeRun } from './run-state.ts';

/** Plans a run and asks for its chunks and its end. One that has been planned is left as it is. */
export async function planRun(work: JobAtWork, parts: BatchParts): Promise<void> {
  const { job, recording, run, signal, log } = work;
  const { services, board, media, clock } = parts;
  if (await services.batch.hasChunks(job.runId)) return;
  const startedAtMs = run.startedAtMs ?? Math.round(clock.nowMs());
  await changeRun(job, { state: 'probing', startedAtMs }, parts);
  const planned = await media.plan({ recording, run }, { signal, log });
  signal.throwIfAborted();
  const segments = planned.reduce((sum, { chunk }) => sum + chunk.segments.length, 0);
  await board.planRun(job.runId, { chunks: planned.length, durationMs: segments * SEGMENT_MS });
  await changeRun(job, { state: 'encoding' }, parts);
  const { recordingId, runId, traceId } = job;
  const isUrgent = run.night === null;
  await services.batch.enqueueChunks({ recordingId, runId, traceId }, planned, { isUrgent });
  log.info({ event: 'reencode-planned', chunks: planned.length, segments });
}
