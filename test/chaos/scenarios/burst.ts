import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Recording } from '../../../src/model/recording.ts';
import { isFinal } from '../../../src/model/recording.ts';
import type { Measurement } from '../../bench/measure.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { startFleet, type Fleet } from '../fleet.ts';
import { readEntries } from '../owners.ts';
import { openResources } from '../resources.ts';
import type { ChaosScenario, RunOptions } from '../runner.ts';
import { atMost, NONE, row, rowsOfRemains } from '../stage.ts';
import { secondsSince } from './steps.ts';

const STARTS = 200;
/** Two workers have room for a quarter of them: the others must wait. */
const SLOTS = 25;
/** Each recording ends by itself after this: four rounds. */
const LENGTH_MS = 4_800;
/** About 40 s on two quiet cores. */
const ALL_OVER_TIMEOUT_MS = 240_000;
/** A platform's own timeout for a request is seldom shorter. */
const ANSWER_BOUND_S = 5;

const hook = pathToFileURL(path.resolve('test/fixtures/chaos/use-stub-capture.ts')).href;
const worker = {
  slots: SLOTS,
  nodeArgs: ['--import', import.meta.resolve('tsx'), '--import', hook],
  environment: { CHALKREEL_SPARE_BROWSER: 'no' },
};

/** 200 starts in one second, four times as many as there are slots. */
export const burst: ChaosScenario = {
  about: '200 starts in one second for 50 slots (stub capture)',
  seconds: 50,
  run: async (options) => {
    const resources = openResources();
    let fleet: Fleet | undefined;
    const rows: Measurement[] = [];
    try {
      fleet = resources.use(await startFleet({ workers: [worker, worker] }));
      rows.push(...(await measure(fleet, options)));
    } finally {
      await fleet?.keepLogs(options.keepLogsIn).catch(options.say);
      await resources.close();
      if (fleet !== undefined) rows.push(...(await rowsOfRemains(fleet)));
    }
    return rows;
  },
};

type Start = { readonly id: string | undefined; readonly status: number; readonly seconds: number };

async function measure(fleet: Fleet, { say }: RunOptions): Promise<Measurement[]> {
  const starts = await Promise.all(
    Array.from({ length: STARTS }, (_, i) => start(fleet, (i * 1000) / STARTS)),
  );
  const ids = starts.flatMap(({ id }) => id ?? []);
  say(`${ids.length} of ${STARTS} starts were answered 201`);
  const early = await readAll(fleet, ids);
  const dishonest = await countDishonest(fleet, early);
  const queued = early.filter(({ state }) => state === 'queued').length;
  say(`${queued} of them wait`);
  const over = await waitUntil(
    'all recordings to be over',
    async () => {
      const dead = fleet.workers().find(({ isRunning }) => !isRunning());
      if (dead !== undefined) throw new Error(`${dead.name} has died: see its log`);
      const all = await readAll(fleet, ids);
      return all.every(({ state }) => isFinal(state)) && all;
    },
    ALL_OVER_TIMEOUT_MS,
  );
  let twice = 0;
  for (const { id, history } of over) {
    const makers = await makersOf(fleet, id);
    const begun = history.filter(({ state }) => state === 'recording').length;
    if (makers.size !== 1 || begun !== 1) twice += 1;
  }
  const waits = over.map(({ history, createdAtMs }) => {
    const begun = history.find(({ state }) => state === 'recording');
    return ((begun?.atMs ?? NaN) - createdAtMs) / 1000;
  });
  const failed = over.filter(({ state }) => state !== 'completed').length;
  return [
    row('not-answered-201', 'starts', starts.filter(({ status }) => status !== 201).length, NONE),
    row(
      'slowest-answer',
      's',
      Math.max(...starts.map(({ seconds }) => seconds)),
      atMost(ANSWER_BOUND_S),
    ),
    row('queued-at-first', 'recordings', queued),
    row('state-not-true', 'recordings', dishonest, NONE),
    row('not-completed', 'recordings', failed, NONE),
    row('recorded-twice', 'recordings', twice, NONE),
    row('longest-wait', 's', Math.max(...waits)),
  ];
}

async function start(fleet: Fleet, afterMs: number): Promise<Start> {
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  const sentAtMs = Date.now();
  const body = JSON.stringify({
    url: fleet.classUrl,
    settings: { media: 'audio', maxDurationMs: LENGTH_MS },
  });
  const answer = await fleet
    .request('/v1/recordings', { method: 'POST', body })
    .catch(() => undefined);
  const { id } = (answer?.ok === true ? await answer.json() : {}) as { id?: string };
  return { id, status: answer?.status ?? 0, seconds: secondsSince(sentAtMs) };
}

async function readAll(fleet: Fleet, ids: readonly string[]): Promise<Recording[]> {
  const all: Recording[] = [];
  for (const id of ids) {
    const answer = await fleet.request(`/v1/recordings/${id}`);
    all.push((await answer.json()) as Recording);
  }
  return all;
}

/** Recordings said to be waiting that are being made, or the other way round for more than there are slots. */
async function countDishonest(fleet: Fleet, recordings: readonly Recording[]): Promise<number> {
  let wrong = 0;
  for (const { id, state } of recordings)
    // Read after its state was: one that began meanwhile has no segment yet.
    if (state === 'queued' && (await fleet.request(`/v1/recordings/${id}/index.m3u8`)).ok)
      wrong += 1;
  const running = recordings.filter(({ state }) => state !== 'queued').length;
  return wrong + Math.max(0, running - 2 * SLOTS);
}

/** Lanes and epochs that have segments. */
async function makersOf(fleet: Fleet, id: string): Promise<ReadonlySet<string>> {
  const entries = await readEntries(fleet.redis.client, id);
  return new Set(entries.map(({ lane, epoch }) => `${lane}-${epoch}`));
}
