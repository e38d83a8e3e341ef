import { chunkResultSchema, type BatchJob, type ChunkJob } from '../../protocol/jobs.ts';
import { ChalkreelError } from '../../errors.ts';
import { SEGMENT_MS } from '../../model/grid.ts';
import { findOpenRun, type ReencodeRun } from '../../model/reencode-run.ts';
import { costKind, costOf } from '../../model/reencode-cost.ts';
import type { BatchJobContext, BatchOutcome } from '../../queue/consume-batch.ts';
import { encodeChunkOfRun } from './encode-of-run.ts';
import { finishRun } from './finish-run.ts';
import { waitForNight } from '../night.ts';
import type { BatchParts } from './parts.ts';
import { planRun } from './plan-run.ts';
import { failRun, isWanted, replanRun } from './run-state.ts';
import type { JobAtWork } from './job-at-work.ts';
import { interruptionOf, watchRun } from './watch-run.ts';

/** A chunk that failed here is left to others for so long, if there are others. */
const ELSEWHERE_MS = 20_000;
const ELSEWHERE_RETRY_MS = 250;
/** A job whose chunks are still being left. */
const LEFT_SOON_MS = 200;

/**
 * Does one job of the batch. Whatever it was called off by comes to nothing, or to a later time; what it fails of is thrown, after the run
 * was given up at the last try. May be repeated, after it was cut short anywhere.
 */
export async function handleBatchJob(
  job: BatchJob,
  context: BatchJobContext,
  parts: BatchParts,
): Promise<BatchOutcome> {
  const recording = await parts.services.recordings.find(job.recordingId);
  const run = recording === undefined ? undefined : findOpenRun(recording, job.runId);
  if (recording === undefined || run === undefined || !isWanted(recording, job.runId)) {
    return leave(job, context);
  }
  const waitMs =
    (await waitForNight(run, job.recordingId, await neededMs(job, run, parts), parts)) ??
    (await waitForOthers(job, parts));
  if (waitMs !== undefined) return { retryAfterMs: waitMs };
  const { recordingId, runId, traceId } = job;
  const log = parts.log.child({
    ...{ recordingId, traceId, runId, profile: run.profile.name },
    ...(job.kind === 'chunk' ? { chunk: job.chunk.index } : {}),
  });
  const watch = await watchRun(run, recordingId, context.signal, parts);
  try {
    return await perform({ job, recording, run, context, signal: watch.signal, log }, parts);
  } catch (error) {
    const interruption = interruptionOf(watch.signal);
    if (interruption === 'over') return await leave(job, context);
    if (interruption !== undefined) return { retryAfterMs: interruption.retryAfterMs };
    context.signal.throwIfAborted();
    if (isUnwanted(error)) return await leave(job, context);
    if (isBelowTarget(error) && (await replanRun(job, { ...parts, log }))) return { result: null };
    await note(error, { job, context, log }, parts);
    throw error;
  } finally {
    await watch.close();
  }
}

async function perform(work: JobAtWork, parts: BatchParts): Promise<BatchOutcome> {
  const { job } = work;
  switch (job.kind) {
    case 'plan':
      await planRun(work, parts);
      return { result: null };
    case 'chunk':
      return { result: await encodeChunkOfRun({ ...work, job }, parts) };
    case 'finish': {
      const { results, failures } = await work.context.readChunks();
      const [failure] = failures;
      if (failure !== undefined) {
        await failRun(job, new ChalkreelError('chunk-failed', failure), {
          ...parts,
          log: work.log,
        });
        return leave(job, work.context);
      }
      await finishRun(
        work,
        results.map((result) => chunkResultSchema.parse(result)),
        parts,
      );
      return { result: null };
    }
  }
}

/** Nothing is to be done any more. A parent cannot end before its children have. */
async function leave(job: BatchJob, context: BatchJobContext): Promise<BatchOutcome> {
  const isWaited = job.kind === 'finish' && (await context.dropChunks());
  return isWaited ? { retryAfterMs: LEFT_SOON_MS } : { result: null };
}

/** Logs a failed try with all that is needed to see it fail again, and gives the run up at the last one. */
async function note(
  error: unknown,
  { job, context, log }: Pick<JobAtWork, 'job' | 'context' | 'log'>,
  parts: BatchParts,
): Promise<void> {
  const { attempt, isLastAttempt } = context;
  const failure = error instanceof ChalkreelError ? error : undefined;
  const isGivenUp = isLastAttempt || failure?.fault === 'input' || isBelowTarget(error);
  log.warn({
    event: `${job.kind}-failed`,
    attempt,
    isGivenUp,
    // The exact command line, where there is one.
    ...failure?.details,
    err: error,
  });
  if (job.kind === 'chunk') {
    await context.noteFailure(parts.workerId, Math.round(parts.clock.nowMs()));
    await parts.board.countRetry(job.runId);
  }
  if (isGivenUp) await failRun(job, error, { ...parts, log });
}

/** It was called off, or its recording deleted, before that could be heard here. */
function isUnwanted(error: unknown): boolean {
  const code = error instanceof ChalkreelError ? error.code : undefined;
  return code === 'reencode-unwanted' || code === 'recording-not-found';
}

/** The whole was worse than its samples; to join and prove it again would come to the same. */
function isBelowTarget(error: unknown): boolean {
  return error instanceof ChalkreelError && error.code === 'quality-below-target';
}

/** What a chunk is expected to take: one that would not be through before the night's end is not begun. */
async function neededMs(
  job: BatchJob,
  { profile }: ReencodeRun,
  { board }: BatchParts,
): Promise<number> {
  if (job.kind !== 'chunk') return 0;
  const measured = await board.readCosts();
  // A guess may be far off, and must not keep a chunk from ever being begun.
  if (!measured.has(costKind(profile))) return 0;
  return job.chunk.segments.length * SEGMENT_MS * costOf(profile, measured);
}

/** A chunk that failed here goes elsewhere, while there is somebody else. */
async function waitForOthers(job: BatchJob, parts: BatchParts): Promise<number | undefined> {
  if (job.kind !== 'chunk' || !hasFailedHere(job, parts)) return undefined;
  const workers = await parts.board.readWorkers(parts.clock.nowMs());
  const others = workers.filter(({ id, isPaused }) => !job.failedBy.includes(id) && !isPaused);
  return others.length > 0 ? ELSEWHERE_RETRY_MS : undefined;
}

function hasFailedHere(job: ChunkJob, { workerId, clock }: BatchParts): boolean {
  return job.failedBy.includes(workerId) && clock.nowMs() - job.failedAtMs < ELSEWHERE_MS;
}
