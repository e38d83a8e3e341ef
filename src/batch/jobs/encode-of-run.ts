import { SEGMENT_MS } from '../../model/grid.ts';
import type { ChunkResult } from '../../model/reencode.ts';
import { costKind } from '../../model/reencode-cost.ts';
import type { ChunkJob } from '../../protocol/jobs.ts';
import { BEAT_MS } from '../../queue/batch-board.ts';
import type { JobAtWork } from './job-at-work.ts';
import type { BatchParts } from './parts.ts';

/** Encodes one chunk of a run, telling each second how far it is. */
export async function encodeChunkOfRun(
  { job, recording, run, signal, log }: JobAtWork<ChunkJob>,
  parts: BatchParts,
): Promise<ChunkResult> {
  const { board, media, live } = parts;
  const { chunk, settings, runId } = job;
  const durationMs = chunk.segments.length * SEGMENT_MS;
  const telling = tellProgress(job, durationMs, parts);
  const pausedBeforeMs = live.pausedMs();
  try {
    const context = { signal, log, onProgress: telling.onProgress };
    const result = await media.encodeChunk({ recording, run }, { chunk, settings }, context);
    // Standing still is not encoding.
    const busyMs = Math.max(0, result.tookMs - (live.pausedMs() - pausedBeforeMs));
    const { index, bytes, wasThere } = result;
    const isNew = await board.countChunk(runId, { index, durationMs, busyMs, bytes, wasThere });
    if (isNew && !wasThere) await board.noteCost(costKind(run.profile), busyMs / durationMs);
    log.info({ event: 'chunk-encoded', tookMs: result.tookMs, busyMs, bytes, wasThere });
    return result;
  } finally {
    await telling.close();
  }
}

function tellProgress(
  { runId, chunk }: ChunkJob,
  durationMs: number,
  { board, workerId, clock }: BatchParts,
): { readonly onProgress: (share: number) => void; readonly close: () => Promise<void> } {
  let fraction = 0;
  let told: Promise<unknown> = Promise.resolve();
  const tell = (isAtWork: boolean): void => {
    const part = { chunk: chunk.index, worker: workerId, durationMs, fraction };
    const next = isAtWork ? part : undefined;
    told = told
      .then(() => board.tellAtWork(runId, workerId, chunk.index, next, clock.nowMs()))
      // A number that is missing for a while.
      .catch(() => undefined);
  };
  tell(true);
  const timer = setInterval(() => tell(true), BEAT_MS);
  return {
    onProgress: (share) => {
      fraction = Math.min(1, Math.max(fraction, share));
    },
    close: async () => {
      clearInterval(timer);
      tell(false);
      await told;
    },
  };
}
