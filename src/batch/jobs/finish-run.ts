import type { ChunkResult, ReencodeManifest } from '../../model/reencode.ts';
import type { ReencodeOutcome } from '../../model/reencode-run.ts';
import type { JobAtWork } from './job-at-work.ts';
import type { BatchParts } from './parts.ts';
import { changeRun, isWanted } from './run-state.ts';

/** Joins, proves and swaps a run whose chunks are all there, and writes its end. */
export async function finishRun(
  { job, recording, run, signal, log }: JobAtWork,
  results: readonly ChunkResult[],
  parts: BatchParts,
): Promise<void> {
  const { services, board, media, clock } = parts;
  const inOrder = [...results].sort((a, b) => a.index - b.index);
  const manifest = await media.finish({ recording, run }, inOrder, {
    signal,
    log,
    async onState(state) {
      await changeRun(job, { state }, parts);
    },
    async mayReplace() {
      signal.throwIfAborted();
      const present = await services.recordings.find(job.recordingId);
      return present !== undefined && isWanted(present, job.runId);
    },
  });
  const outcome = outcomeOf(manifest);
  const end = { state: 'completed', endedAtMs: Math.round(clock.nowMs()), outcome } as const;
  await changeRun(job, end, parts);
  const { bytesBefore, bytesAfter } = outcome;
  await board.addTotals({ completed: 1, bytesBefore, bytesAfter });
  log.info({ event: 'reencode-completed', ...outcome });
}

function outcomeOf({ bytesBefore, bytesAfter, crf, proof }: ReencodeManifest): ReencodeOutcome {
  const { quality } = proof;
  return {
    bytesBefore,
    bytesAfter,
    crf,
    ssimDb: quality?.ssimDb ?? null,
    worstFrameDb: quality?.worstFrameDb ?? null,
  };
}
