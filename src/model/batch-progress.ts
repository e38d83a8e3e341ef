/** How far re-encodes are, and how long they will take: pure arithmetic on what workers tell. */

/** What is counted of one run while it is worked on. */
export type RunCounts = {
  /** Planned; 0 until it is. */
  readonly chunks: number;
  readonly chunksDone: number;
  /** Of the source, ms. */
  readonly durationMs: number;
  readonly doneMs: number;
  /** Of `doneMs`: what was encoded for this run, and not found done. */
  readonly encodedMs: number;
  /** Time that encoders took for `encodedMs`, all workers together. */
  readonly busyMs: number;
  readonly retries: number;
  readonly bytes: number;
};

/** A chunk that somebody encodes right now. */
export type ChunkAtWork = {
  readonly chunk: number;
  readonly worker: string;
  /** Of the source. */
  readonly durationMs: number;
  /** 0 to 1. */
  readonly fraction: number;
};

/** What a worker process tells about itself. */
export type BatchWorkerView = {
  readonly id: string;
  readonly host: string;
  readonly slots: number;
  readonly busy: number;
  /** Its host's live recordings have its CPU. */
  readonly isPaused: boolean;
};

/** Of a run's time, the part of encoding; before it quality is probed, after it all is joined, decoded and compared. */
const SHARE_OF_ENCODING = 0.8;
const SHARE_OF_PLANNING = 0.05;

/** How far a run is, 0 to 1: 1 only when it is completed. */
export function fractionOf(
  state: string,
  counts: RunCounts | undefined,
  atWork: readonly ChunkAtWork[] = [],
): number {
  if (state === 'completed') return 1;
  if (counts === undefined || counts.chunks === 0) return 0;
  if (state === 'joining') return SHARE_OF_PLANNING + SHARE_OF_ENCODING;
  if (state === 'proving') return SHARE_OF_PLANNING + SHARE_OF_ENCODING + 0.05;
  return SHARE_OF_PLANNING + SHARE_OF_ENCODING * encodedFraction(counts, atWork);
}

/** How much of a run's source is encoded, 0 to 1. */
export function encodedFraction(
  { durationMs, doneMs }: RunCounts,
  atWork: readonly ChunkAtWork[] = [],
): number {
  if (durationMs <= 0) return 1;
  const partsMs = atWork.reduce((sum, part) => sum + part.durationMs * part.fraction, 0);
  return Math.min(1, (doneMs + partsMs) / durationMs);
}

/** Work left, as time of one encoder, ms. `costPerMs`: encoder time for a ms of source, as known before anything was encoded. */
export function workLeftMs(
  run: {
    readonly state: string;
    readonly durationMs: number;
    readonly counts: RunCounts | undefined;
    readonly atWork?: readonly ChunkAtWork[];
  },
  costPerMs: number,
): number {
  const { counts, durationMs } = run;
  const cost = counts === undefined ? costPerMs : measuredCost(counts, costPerMs);
  return durationMs * cost * ((1 - fractionOf(run.state, counts, run.atWork)) / SHARE_OF_ENCODING);
}

/** Encoder time for a ms of source: what this run has shown, once it has shown enough of it. */
function measuredCost({ encodedMs, busyMs }: RunCounts, costPerMs: number): number {
  return encodedMs > 0 ? busyMs / encodedMs : costPerMs;
}

/** When work will be through if nothing comes before it, ms from now; null when nobody works. */
export function etaMs(workMs: number, workers: readonly BatchWorkerView[]): number | null {
  const slots = slotsAtWork(workers);
  return slots === 0 ? null : Math.round(workMs / slots);
}

/** Encoders that may run at once on all workers that are not paused. */
export function slotsAtWork(workers: readonly BatchWorkerView[]): number {
  return workers.reduce((sum, { slots, isPaused }) => sum + (isPaused ? 0 : slots), 0);
}

/** Something that may be done tonight, and the encoder time it is expected to take. */
export type Candidate<T> = { readonly item: T; readonly workMs: number };

/**
 * What of a queue fits into a window: in order, whatever is expected to be through before its end, beside the work that is there already.
 * One is taken in any case when there is room at all, so that a recording longer than any window is begun some time: what is done of it stays done.
 */
export function planWindow<T>(
  candidates: readonly Candidate<T>[],
  window: { readonly lengthMs: number; readonly slots: number; readonly busyMs: number },
): { readonly fits: readonly T[]; readonly waits: readonly T[] } {
  const fits: T[] = [];
  const waits: T[] = [];
  const roomMs = window.lengthMs * window.slots;
  let usedMs = window.busyMs;
  for (const { item, workMs } of candidates) {
    const isFirst = fits.length === 0 && usedMs < roomMs;
    if (!isFirst && usedMs + workMs > roomMs) {
      waits.push(item);
      continue;
    }
    usedMs += workMs;
    fits.push(item);
  }
  return { fits, waits };
}

/** Encoder time for a ms of source as it was measured last, smoothed over about five runs. */
export function smoothCost(before: number | undefined, measured: number): number {
  return before === undefined ? measured : before + (measured - before) / 5;
}
