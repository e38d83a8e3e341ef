import { planWindow, slotsAtWork, workLeftMs, type Candidate } from '../model/batch-progress.ts';
import { SEGMENT_MS } from '../model/grid.ts';
import { findNight, nextNight, type Night } from '../model/night.ts';
import { traceOf, type Recording } from '../model/recording.ts';
import type { ReencodeProfile } from '../model/reencode.ts';
import { isOpenRun, isSameProfile, type ReencodeRun } from '../model/reencode-run.ts';
import { costOf } from '../model/reencode-cost.ts';
import type { NightRecord } from '../queue/batch-board.ts';
import { profilesFor } from '../queue/reencode-profiles.ts';
import { NIGHT_CANCELLED, requestReencode } from '../queue/request-reencode.ts';
import { asChalkreelError } from '../errors.ts';
import type { BatchParts } from './jobs/parts.ts';
import { changeRun } from './jobs/run-state.ts';

/** Recordings of one page of a list. */
const PAGE = 100;
/** A recording that has failed so often is left to people. */
const MAX_FAILURES = 3;
/** A night may be begun by a person: who waits for the next one looks this often. */
const LOOK_MS = 60_000;
/** The night is due, and somebody is about to begin it. */
const DUE_MS = 1_000;

type NightParts = Pick<
  BatchParts,
  'services' | 'board' | 'profiles' | 'clock' | 'log' | 'newId' | 'times'
>;

/**
 * Begins a night: what is left of the last one goes on, and of what has not been re-encoded so much is asked for as is expected to fit, what
 * ended first before the rest. May be run again when it was cut short; a night that has begun is not begun again.
 */
export async function beginNight(night: Night, parts: NightParts): Promise<void> {
  const { board, clock, log, services } = parts;
  const nowMs = Math.round(clock.nowMs());
  const record = await board.beginNight(night, nowMs);
  if (record.state !== 'planning') return;
  log.info({ event: 'night-began', ...night });
  const leftMs = await adoptOpenRuns(night, parts);
  const candidates = await findCandidates(parts);
  const workers = await board.readWorkers(nowMs);
  const { fits, waits } = planWindow(candidates, {
    lengthMs: Math.max(0, night.endsAtMs - nowMs),
    slots: Math.max(1, slotsAtWork(workers)),
    busyMs: leftMs,
  });
  let asked = 0;
  for (const { recording, profiles } of fits) {
    const wish = { profiles, origin: 'night', night: night.date, nowMs } as const;
    const services_ = { ...services, log, newId: parts.newId };
    const result = await requestReencode(recording.id, wish, services_).catch((error: unknown) => {
      // Deleted meanwhile, or without media: nothing to do for it.
      const { code } = asChalkreelError(error);
      log.info({
        event: 'night-skips',
        recordingId: recording.id,
        traceId: traceOf(recording),
        code,
      });
      return undefined;
    });
    if (result === undefined) continue;
    asked += 1;
    const runs = (result.recording.reencodes ?? []).filter(isOpenRun);
    const refs = runs.map((run) => ({ recordingId: recording.id, runId: run.id }));
    await board.addToNight(night.date, refs);
  }
  await board.updateNight(night.date, { state: 'running', deferred: waits.length });
  log.info({ event: 'night-planned', date: night.date, asked, deferred: waits.length });
}

/** The night that goes on now, whoever began it. */
export async function findCurrentNight(
  { board }: Pick<BatchParts, 'board'>,
  nowMs: number,
): Promise<NightRecord | undefined> {
  const night = await board.findLastNight();
  return night !== undefined && night.state !== 'cancelled' && nowMs < night.endsAtMs
    ? night
    : undefined;
}

/** How long a run of a night has to wait until it may go on, ms; undefined: it may now. `neededMs`: what its next step will take. */
export async function waitForNight(
  run: ReencodeRun,
  recordingId: string,
  neededMs: number,
  parts: NightParts,
): Promise<number | undefined> {
  if (run.night === null) return undefined;
  const nowMs = parts.clock.nowMs();
  const night = await findCurrentNight(parts, nowMs);
  if (night !== undefined && nowMs + neededMs <= night.endsAtMs) {
    if (run.night === night.date) return undefined;
    await adopt({ recordingId, runId: run.id }, night, parts);
    return undefined;
  }
  if (night === undefined && parts.times !== undefined && findNight(nowMs, parts.times)) {
    const last = await parts.board.findLastNight();
    // Cancelled, or due and about to be begun.
    if (last === undefined || last.endsAtMs <= nowMs) return DUE_MS;
  }
  const next = parts.times === undefined ? undefined : nextNight(nowMs, parts.times);
  return Math.min(LOOK_MS, (next?.startsAtMs ?? Infinity) - nowMs);
}

/** Encoder time of what is left to do for runs that are open, ms. */
async function adoptOpenRuns(night: Night, parts: NightParts): Promise<number> {
  const { services, board, clock } = parts;
  const costs = await board.readCosts();
  let leftMs = 0;
  for (const id of await services.recordings.listReencoding()) {
    const recording = await services.recordings.find(id);
    const durationMs = await durationOf(id, parts);
    for (const run of recording?.reencodes?.filter(isOpenRun) ?? []) {
      if (run.night !== null) {
        await adopt({ recordingId: id, runId: run.id }, night, parts);
        await services.batch.wakeRun(run.id);
      }
      const { counts } = await board.readRun(run.id, clock.nowMs());
      const { state, profile } = run;
      leftMs += workLeftMs({ state, durationMs, counts }, costOf(profile, costs));
    }
  }
  return leftMs;
}

async function adopt(
  run: { readonly recordingId: string; readonly runId: string },
  { date }: Pick<Night, 'date'>,
  parts: NightParts,
): Promise<void> {
  await parts.board.addToNight(date, [run]);
  await changeRun(run, { night: date }, parts);
}

type Work = { readonly recording: Recording; readonly profiles: readonly ReencodeProfile[] };

/** What is over and not yet re-encoded into the night's profiles, longest over first. */
async function findCandidates(parts: NightParts): Promise<readonly Candidate<Work>[]> {
  const costs = await parts.board.readCosts();
  const work: Work[] = [];
  for (const state of ['completed', 'failed'] as const) {
    for await (const recording of listAll(state, parts)) {
      const profiles = profilesToMake(recording, parts);
      if (profiles.length > 0) work.push({ recording, profiles });
    }
  }
  work.sort((a, b) => endOf(a.recording) - endOf(b.recording));
  return Promise.all(
    work.map(async (item) => {
      const durationMs = await durationOf(item.recording.id, parts);
      const workMs = item.profiles.reduce(
        (sum, profile) =>
          sum +
          workLeftMs({ state: 'waiting', durationMs, counts: undefined }, costOf(profile, costs)),
        0,
      );
      return { item, workMs };
    }),
  );
}

/** The night's profiles that a recording is still to be made into. */
export function profilesToMake(
  recording: Recording,
  { profiles }: Pick<BatchParts, 'profiles'>,
): readonly ReencodeProfile[] {
  const { originMs, deletedAtMs, reencodes = [] } = recording;
  if (originMs === null || deletedAtMs !== undefined) return [];
  return profilesFor(recording, profiles).filter((profile) => {
    const known = reencodes.find((run) => run.profile.name === profile.name);
    if (known === undefined || !isSameProfile(known.profile, profile)) {
      return known === undefined || !isOpenRun(known);
    }
    if (known.state === 'failed') return known.failures + 1 < MAX_FAILURES;
    return known.state === 'cancelled' && known.reason === NIGHT_CANCELLED;
  });
}

async function* listAll(
  state: 'completed' | 'failed',
  { services }: Pick<BatchParts, 'services'>,
): AsyncIterable<Recording> {
  let cursor: string | undefined;
  do {
    const page = await services.recordings.list({ state, limit: PAGE, cursor });
    yield* page.recordings;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

function endOf({ history, createdAtMs }: Recording): number {
  return history.at(-1)?.atMs ?? createdAtMs;
}

async function durationOf(id: string, { services }: Pick<BatchParts, 'services'>): Promise<number> {
  return (await services.segments.count(id)) * SEGMENT_MS;
}
