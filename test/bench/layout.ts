import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { delay, Resources } from '../../src/lifecycle.ts';
import type { ClassLayout } from '../../src/model/layout.ts';
import type { ClassroomSource, StreamSource } from '../../src/model/recording.ts';
import { readGrayFrames } from '../support/gray-frames.ts';
import { openSyntheticClass } from '../support/layouts/synthetic-class.ts';
import { servePages } from '../support/page-server.ts';
import { runProgram } from '../support/programs.ts';
import { recordClass } from '../support/sources/recorded-class.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './runner.ts';

/** Recorded frames a second, and the films': every slot has something new to show. */
const FPS = 30;
const SLOT_MS = 1000 / FPS;
/** Chrome, its capture and the films are settling. */
const SETTLE_MS = 4000;
/** Between two changes: long enough for both to be told apart; at random, so that slots and polls are met at any phase. */
const PAUSE_MS = { least: 1200, most: 1500 };
/** What is looked at before a change, and the time about it in which no slot may be empty. */
const BEFORE_MS = 300;
const AROUND_MS = { before: 300, after: 700 };
/** All four films are in sight in each of them, so that none is fetched anew. */
const LAYOUTS: readonly ClassLayout[] = [
  'spotlight',
  'whiteboard',
  'dual-teacher',
  'gallery',
  'small-class',
];
const FILMS = 4;
/** Places are told apart by cells of 20 pixels. */
const CELLS = { columns: 64, rows: 36 };

/** From the platform's request to the first recorded picture that shows it, and the slots without a picture around it. */
export const layoutBench: Scenario = {
  about: 'PATCH layout to the recorded picture, ms, and empty slots around it; --changes 30',
  run: async (args) => {
    const resources = new Resources();
    try {
      const changes = parseChanges(args);
      const { path: folder } = resources.use(await makeTempFolder('layout'));
      const perChangeMs = AROUND_MS.before + AROUND_MS.after + PAUSE_MS.most;
      const seconds = (SETTLE_MS + changes * perChangeMs) / 1000;
      const classroom = await openFilmClass({ folder, seconds, resources });
      const recording = await recordClass(classroom, resources, { fps: FPS });
      await delay(SETTLE_MS);
      const rests: number[] = [];
      for (let i = 0; i < changes; i++) {
        rests.push(Date.now() + AROUND_MS.before);
        await delay(AROUND_MS.before + AROUND_MS.after);
      }
      const requests: number[] = [];
      for (let i = 0; i < changes; i++) {
        requests.push(Date.now());
        const status = await recording.changeLayout({ layout: LAYOUTS[i % LAYOUTS.length] });
        if (status !== 200) throw new Error(`PATCH layout answered ${status}, expected 200.`);
        const { least, most } = PAUSE_MS;
        await delay((requests[i] ?? 0) + least + Math.random() * (most - least) - Date.now());
      }
      const endMs = Date.now();
      const { playlist, startMs } = await recording.finish();
      const shots = await readShots(playlist, startMs);
      const latencies = requests.map((atMs, i) => latencyOf(shots, atMs, requests[i + 1] ?? endMs));
      return describe(latencies, {
        around: requests.map((atMs) => emptySlots(shots, atMs)),
        atRest: rests.map((atMs) => emptySlots(shots, atMs)),
      });
    } finally {
      await resources.close();
    }
  },
};

function parseChanges(args: readonly string[]): number {
  const { values } = parseArgs({ args: [...args], options: { changes: { type: 'string' } } });
  const changes = Number(values.changes ?? '30');
  if (Number.isInteger(changes) && changes >= 1 && changes <= 500) return changes;
  throw new RangeError(`--changes: expected 1 to 500, got ${String(values.changes)}`);
}

/** A class with names and chat, of which the first four are films that go on at each slot. */
async function openFilmClass(options: {
  readonly folder: string;
  readonly seconds: number;
  readonly resources: Resources;
}): Promise<ClassroomSource> {
  const { folder, seconds, resources } = options;
  const file = path.join(folder, 'film.mp4');
  // until the recording has begun, and somewhat beyond its end
  await drawFilm(file, seconds + 30);
  const film = { type: 'video/mp4', body: await readFile(file) };
  const server = resources.use(await servePages({ '/film.mp4': film }));
  const { classroom } = resources.use(await openSyntheticClass());
  const sources = classroom.sources
    .slice(0, FILMS)
    .map(({ participantId, name, role }): StreamSource => ({
      ...{ participantId, name, role },
      ...{ kind: 'file', url: `${server.url}/film.mp4` },
    }));
  return { ...classroom, sources };
}

async function drawFilm(file: string, seconds: number): Promise<void> {
  await runProgram('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=${FPS}`],
    ...['-f', 'lavfi', '-i', 'sine=frequency=330:sample_rate=48000', '-t', String(seconds)],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', String(FPS)],
    ...['-c:a', 'aac', '-b:a', '64k', '-movflags', '+faststart', file],
  ]);
}

type Shot = { readonly atMs: number; readonly cells: Uint8Array };

async function readShots(playlist: string, startMs: number): Promise<Shot[]> {
  const region = { x: 0, y: 0, width: 1, height: 1 };
  const frames = await readGrayFrames(playlist, { region, ...CELLS });
  return frames.map(({ ptsS, cells }) => ({ atMs: startMs + (ptsS - 10) * 1000, cells }));
}

/** From a request to the first picture that is more like those before the next request than like those before this one. */
function latencyOf(shots: readonly Shot[], atMs: number, nextMs: number): number {
  const before = meanOf(shots, atMs - BEFORE_MS, atMs);
  const after = meanOf(shots, nextMs - BEFORE_MS, nextMs);
  const first = shots.find(
    (shot) => shot.atMs >= atMs && distance(shot.cells, after) < distance(shot.cells, before),
  );
  return first === undefined || first.atMs >= nextMs ? NaN : first.atMs - atMs;
}

function meanOf(shots: readonly Shot[], fromMs: number, toMs: number): Float64Array {
  const sum = new Float64Array(CELLS.columns * CELLS.rows);
  const among = shots.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  for (const { cells } of among) cells.forEach((value, i) => (sum[i] = (sum[i] ?? 0) + value));
  return sum.map((value) => value / among.length);
}

function distance(cells: Uint8Array, mean: Float64Array): number {
  return cells.reduce((sum, value, i) => sum + Math.abs(value - (mean[i] ?? NaN)), 0);
}

function emptySlots(shots: readonly Shot[], atMs: number): number {
  const { before, after } = AROUND_MS;
  const near = shots.filter((shot) => shot.atMs >= atMs - before && shot.atMs <= atMs + after);
  const spanMs = (near.at(-1)?.atMs ?? NaN) - (near[0]?.atMs ?? NaN);
  return Math.round(spanMs / SLOT_MS) + 1 - near.length;
}

/** `atRest`: in as many spans of the same length in which nothing is changed. What is empty there is no change's fault. */
function describe(
  latencies: readonly number[],
  empty: { readonly around: readonly number[]; readonly atRest: readonly number[] },
): Measurement[] {
  const sum = (slots: readonly number[]): number => slots.reduce((all, some) => all + some, 0);
  const sorted = latencies.filter((ms) => !Number.isNaN(ms)).sort((a, b) => a - b);
  if (sorted.length === 0) throw new Error(`None of ${latencies.length} changes was seen.`);
  const p95 = sorted[Math.ceil(0.95 * sorted.length) - 1] ?? NaN;
  return [
    { name: 'layout-latency', unit: 'ms', samples: [p95], bound: { is: '<=', value: 300 } },
    { name: 'layout-latency-each', unit: 'ms', samples: sorted },
    {
      name: 'layout-changes-unseen',
      unit: '',
      samples: [latencies.length - sorted.length],
      bound: { is: '==', value: 0 },
    },
    {
      name: 'layout-empty-slots',
      unit: '',
      samples: [sum(empty.around)],
      bound: { is: '==', value: 0 },
    },
    { name: 'layout-empty-slots-at-rest', unit: '', samples: [sum(empty.atRest)] },
  ];
}
