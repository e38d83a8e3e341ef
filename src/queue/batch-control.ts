import { localDate, nightEndAfter, type Night, type NightTimes } from '../model/night.ts';
import { isOpenRun } from '../model/reencode-run.ts';
import type { BatchBoard, NightRecord } from './batch-board.ts';
import type { NightSettings } from './night-schedule.ts';
import { cancelReencode, NIGHT_CANCELLED, type ReencodeServices } from './request-reencode.ts';

type ControlServices = Pick<ReencodeServices, 'recordings' | 'batch' | 'log'> & {
  readonly board: BatchBoard;
};

/** Nights that people begin in one day: the second of a date has another name. */
const MAX_NIGHTS_A_DAY = 100;

/**
 * Begins a night now, until the next time nights end at. While one goes on, it is that one. Resolves to the night, and whether it was asked
 * for; a batch worker begins it.
 */
export async function startNightNow(
  { board, batch }: Pick<ControlServices, 'board' | 'batch'>,
  settings: Pick<NightSettings, 'timeZone' | 'endsAt'>,
  nowMs: number,
): Promise<{ readonly night: Night; readonly isNew: boolean }> {
  const last = await board.findLastNight();
  if (last !== undefined && last.state !== 'cancelled' && nowMs < last.endsAtMs) {
    return { night: last, isNew: false };
  }
  const night = await freeNight(board, settings, nowMs);
  await batch.enqueueNight(night);
  return { night, isNew: true };
}

/** Calls the present night off, with all that is under way for it; a later night may ask for that again. Undefined: there is none. */
export async function cancelNight(
  services: ControlServices,
  nowMs: number,
): Promise<{ readonly night: NightRecord; readonly cancelled: number } | undefined> {
  const { board, recordings } = services;
  const night = await board.findLastNight();
  if (night === undefined || nowMs >= night.endsAtMs) return undefined;
  await board.updateNight(night.date, { state: 'cancelled' });
  let cancelled = 0;
  for (const id of await recordings.listReencoding()) {
    const runs = (await recordings.find(id))?.reencodes?.filter(isOpenRun) ?? [];
    for (const run of runs.filter((one) => one.night !== null)) {
      const options = { reason: NIGHT_CANCELLED, nowMs, runId: run.id };
      cancelled += (await cancelReencode(id, options, services)).cancelled.length;
    }
  }
  return { night: { ...night, state: 'cancelled' }, cancelled };
}

async function freeNight(
  board: BatchBoard,
  times: Pick<NightTimes, 'timeZone' | 'endsAt'>,
  nowMs: number,
): Promise<Night> {
  const today = localDate(nowMs, times.timeZone);
  const window = { startsAtMs: nowMs, endsAtMs: nightEndAfter(nowMs, times) };
  for (let nth = 1; nth < MAX_NIGHTS_A_DAY; nth += 1) {
    const date = nth === 1 ? today : `${today}-${nth}`;
    if ((await board.findNight(date)) === undefined) return { date, ...window };
  }
  return { date: `${today}-${nowMs}`, ...window };
}
