import {
  etaMs,
  fractionOf,
  workLeftMs,
  type BatchWorkerView,
  type ChunkAtWork,
} from '../model/batch-progress.ts';
import { SEGMENT_MS } from '../model/grid.ts';
import { nextNight, type Night, type NightTimes } from '../model/night.ts';
import { traceOf, type Recording } from '../model/recording.ts';
import { costOf } from '../model/reencode-cost.ts';
import { isOpenRun, type ReencodeOutcome, type ReencodeRun } from '../model/reencode-run.ts';
import type { RecordingRepository } from '../storage/records/recording-repository.ts';
import type { SegmentIndex } from '../storage/index/segment-index.ts';
import type { BatchBoard, NightRecord } from './batch-board.ts';

export type StatusServices = {
  readonly recordings: RecordingRepository;
  readonly segments: Pick<SegmentIndex, 'count'>;
  readonly board: BatchBoard;
};

/** One run as people and platforms see it. */
export type RunStatus = Omit<ReencodeRun, 'profile' | 'id' | 'failures' | 'outcome'> & {
  readonly profile: string;
  readonly runId: string;
  /** 0 to 1. */
  readonly fraction: number;
  /** From now, if all workers worked on it alone; null when it is over, or nobody works. */
  readonly etaMs: number | null;
  readonly chunks: { readonly total: number; readonly done: number; readonly retried: number };
  readonly working: readonly ChunkAtWork[];
  readonly outcome: ReencodeOutcome | null;
};

/** How a recording's re-encodes go. */
export type ReencodeStatus = {
  readonly recordingId: string;
  readonly traceId: string;
  /** Of all its profiles together; `none` when it was never asked for. */
  readonly state: 'none' | 'waiting' | 'running' | 'completed' | 'failed' | 'cancelled';
  readonly fraction: number;
  readonly etaMs: number | null;
  readonly profiles: readonly RunStatus[];
};

/** How the night goes, and what is done beside it. */
export type BatchStatus = {
  readonly night:
    | (Omit<NightRecord, 'state'> & {
        readonly state: NightRecord['state'] | 'over';
        readonly recordings: Readonly<
          Record<'open' | 'completed' | 'failed' | 'cancelled', number>
        >;
        readonly fraction: number;
        readonly etaMs: number | null;
        /** Not through before its end, as things stand. */
        readonly isLate: boolean;
        readonly bytesBefore: number;
        readonly bytesAfter: number;
      })
    | null;
  readonly next: Night | null;
  readonly workers: readonly BatchWorkerView[];
  /** What is under way, in a night or not, longest asked for first: at most 50. */
  readonly recordings: readonly ReencodeStatus[];
};

const MAX_SHOWN = 50;

/** The work that a run still is, besides what is shown of it. */
type Measured = {
  readonly status: RunStatus;
  readonly leftMs: number;
  readonly durationMs: number;
};

type Known = {
  readonly workers: readonly BatchWorkerView[];
  readonly costs: ReadonlyMap<string, number>;
  readonly nowMs: number;
};

/** How a recording's re-encodes go. */
export async function readReencode(
  recording: Recording,
  services: StatusServices,
  nowMs: number,
): Promise<ReencodeStatus> {
  const known = await readKnown(services, nowMs);
  const measured = await measure(recording, recording.reencodes ?? [], services, known);
  return describe(recording, measured, known);
}

/** How the night goes, what is under way, and who works. `times`: for when the next night is. */
export async function readBatch(
  services: StatusServices,
  times: NightTimes | undefined,
  nowMs: number,
): Promise<BatchStatus> {
  const known = await readKnown(services, nowMs);
  const recordings: ReencodeStatus[] = [];
  for (const id of (await services.recordings.listReencoding()).slice(0, MAX_SHOWN)) {
    const recording = await services.recordings.find(id);
    if (recording === undefined) continue;
    const runs = (recording.reencodes ?? []).filter(isOpenRun);
    recordings.push(describe(recording, await measure(recording, runs, services, known), known));
  }
  return {
    night: await readNight(services, known),
    next: (times === undefined ? undefined : nextNight(nowMs, times)) ?? null,
    workers: known.workers,
    recordings,
  };
}

async function readKnown({ board }: StatusServices, nowMs: number): Promise<Known> {
  const [workers, costs] = await Promise.all([board.readWorkers(nowMs), board.readCosts()]);
  return { workers, costs, nowMs };
}

async function readNight(services: StatusServices, known: Known): Promise<BatchStatus['night']> {
  const { board } = services;
  const night = await board.findLastNight();
  if (night === undefined) return null;
  const runIds = new Map<string, string[]>();
  for (const { recordingId, runId } of await board.listNight(night.date)) {
    runIds.set(recordingId, [...(runIds.get(recordingId) ?? []), runId]);
  }
  const recordings = { open: 0, completed: 0, failed: 0, cancelled: 0 };
  let [leftMs, doneMs, totalMs, bytesBefore, bytesAfter] = [0, 0, 0, 0, 0];
  for (const [id, ids] of runIds) {
    const recording = await services.recordings.find(id);
    const runs = recording?.reencodes?.filter((run) => ids.includes(run.id)) ?? [];
    if (recording === undefined || runs.length === 0) continue;
    const measured = await measure(recording, runs, services, known);
    const state = stateOf(measured.map(({ status }) => status));
    recordings[state === 'running' || state === 'waiting' || state === 'none' ? 'open' : state] +=
      1;
    for (const one of measured) {
      leftMs += one.leftMs;
      totalMs += one.durationMs;
      doneMs += one.durationMs * (isOpenRun(one.status) ? one.status.fraction : 1);
      bytesBefore += one.status.outcome?.bytesBefore ?? 0;
      bytesAfter += one.status.outcome?.bytesAfter ?? 0;
    }
  }
  const eta = recordings.open === 0 ? null : etaMs(leftMs, known.workers);
  const isOver =
    night.state === 'running' && (recordings.open === 0 || night.endsAtMs <= known.nowMs);
  return {
    ...night,
    state: isOver ? 'over' : night.state,
    recordings,
    fraction: totalMs === 0 ? 1 : doneMs / totalMs,
    etaMs: eta,
    isLate: eta !== null && known.nowMs + eta > night.endsAtMs,
    bytesBefore,
    bytesAfter,
  };
}

async function measure(
  { id }: Recording,
  runs: readonly ReencodeRun[],
  { segments, board }: StatusServices,
  { workers, costs, nowMs }: Known,
): Promise<readonly Measured[]> {
  if (runs.length === 0) return [];
  const durationMs = (await segments.count(id)) * SEGMENT_MS;
  return Promise.all(
    runs.map(async (run) => {
      const { counts, atWork } = await board.readRun(run.id, nowMs);
      const { id: runId, profile, failures: _, outcome, ...shown } = run;
      const isOpen = isOpenRun(run);
      const work = { state: run.state, durationMs, counts, atWork };
      const leftMs = isOpen ? workLeftMs(work, costOf(profile, costs)) : 0;
      const { chunks = 0, chunksDone = 0, retries = 0 } = counts ?? {};
      const status: RunStatus = {
        ...shown,
        profile: profile.name,
        runId,
        fraction: fractionOf(run.state, counts, atWork),
        etaMs: isOpen ? etaMs(leftMs, workers) : null,
        chunks: { total: chunks, done: chunksDone, retried: retries },
        working: isOpen ? atWork : [],
        outcome: outcome ?? null,
      };
      return { status, leftMs, durationMs };
    }),
  );
}

function describe(
  recording: Recording,
  measured: readonly Measured[],
  { workers }: Known,
): ReencodeStatus {
  const profiles = measured.map(({ status }) => status);
  const leftMs = measured.reduce((sum, one) => sum + one.leftMs, 0);
  const state = stateOf(profiles);
  const isOpen = state === 'running' || state === 'waiting';
  return {
    recordingId: recording.id,
    traceId: traceOf(recording),
    state,
    fraction:
      profiles.length === 0
        ? 0
        : profiles.reduce((sum, { fraction }) => sum + fraction, 0) / profiles.length,
    etaMs: isOpen ? etaMs(leftMs, workers) : null,
    profiles,
  };
}

/** Of all profiles together: what is under way first, then what needs somebody to look at it. */
function stateOf(profiles: readonly Pick<RunStatus, 'state'>[]): ReencodeStatus['state'] {
  const open = profiles.filter(isOpenRun);
  if (open.length > 0)
    return open.every(({ state }) => state === 'waiting') ? 'waiting' : 'running';
  if (profiles.length === 0) return 'none';
  if (profiles.some(({ state }) => state === 'failed')) return 'failed';
  return profiles.some(({ state }) => state === 'completed') ? 'completed' : 'cancelled';
}
