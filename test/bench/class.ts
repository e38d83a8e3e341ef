import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from '../../recorder/browser.ts';
import { recordOnce } from '../../recorder/once.ts';
import { loadConfig } from '../../src/config.ts';
import { deferred, delay, Resources, withDeadline } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import type { ClassroomSource } from '../../src/model/recording.ts';
import type { QualityReport } from '../../src/model/report.ts';
import { recordingSettingsSchema } from '../../src/protocol/recording-request.ts';
import { servePages } from '../support/page-server.ts';
import { runProgram } from '../support/programs.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';
import { startLineProcess } from './class/class-process.ts';
import { sampleMemory, slopePerMinute, type MemorySample } from './class/page-memory.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './runner.ts';

/** Recorded frames a second, and the teacher's film's: every slot has something new to show. */
const FPS = 30;
/** Chrome's start, those who come, and what is left at the end. */
const AROUND_S = 60;
const READY_TIMEOUT_MS = 60_000;
const JOIN_TIMEOUT_MS = 90_000;
/** Memory is looked at this often, once the page has been in the class for a while. */
const SAMPLE_MS = 10_000;
const WARM_UP_SHARE = 0.2;
/** What was said last is on its way to the log. */
const LAST_WORDS_MS = 2_000;
/**
 * A leak of one chat line each (2 kB) would be 6 MB a minute; half a megabyte is 240 MB in the 8 h after which a browser is replaced: that
 * much is there. All of Chrome breathes by some MB with its caches; in 8 h this bound is what a machine has left beside two recordings.
 */
const MAX_HEAP_SLOPE = 0.5;
const MAX_PSS_SLOPE = 4;

/** The recorded page of a class of a thousand: slots, memory, how soon all are there, and whether the log has everything. */
export const classBench: Scenario = {
  about: 'a class of a thousand, recorded; --minutes 10 --students 1000 --chats 50 --hands 100',
  run: async (args) => {
    const resources = new Resources();
    try {
      return await measure(parseOptions(args), resources);
    } finally {
      await resources.close();
    }
  },
};

type Options = Readonly<Record<'minutes' | 'students' | 'chats' | 'hands', number>>;

function parseOptions(args: readonly string[]): Options {
  const options = Object.fromEntries(
    ['minutes', 'students', 'chats', 'hands'].map((name) => [name, { type: 'string' as const }]),
  );
  const { values } = parseArgs({ args: [...args], options });
  const read = (name: string, fallback: number, most: number): number => {
    const value = Number(values[name] ?? fallback);
    if (value > 0 && value <= most) return value;
    throw new RangeError(`--${name}: expected up to ${most}, got ${String(values[name])}`);
  };
  const students = read('students', 1000, 4000);
  return {
    minutes: read('minutes', 10, 600),
    students,
    chats: read('chats', 50, 1000),
    hands: Math.min(read('hands', 100, 4000), students - 1),
  };
}

async function measure(options: Options, resources: Resources): Promise<Measurement[]> {
  const folder = resources.use(await makeTempFolder('class')).path;
  const server = resources.use(startLineProcess('run-server.ts'));
  const { port } = (await server.read(READY_TIMEOUT_MS)) as { port: number };
  const signallingUrl = `ws://127.0.0.1:${port}/signalling`;
  const classroom = await openClass(signallingUrl, { ...options, folder, resources });
  const recording = record(classroom, path.join(folder, 'recording'));
  resources.defer(async () => {
    await recording.stop().catch(() => undefined);
  });
  const page = await recording.page;
  const { minutes, students, chats, hands } = options;
  const beganMs = performance.now();
  const crowd = resources.use(
    startLineProcess('run-students.ts', [signallingUrl, ...[students, chats, hands].map(String)]),
  );
  const roster = 'window.classroomState().roster.length';
  const { joinedMs } = (await crowd.read(JOIN_TIMEOUT_MS)) as { joinedMs: number };
  const seen = async (): Promise<boolean> => Number(await page.evaluate(roster)) >= students;
  await waitUntil('the page to see everybody', seen, JOIN_TIMEOUT_MS);
  const pageSawMs = performance.now() - beganMs;
  const samples = await watchMemory(page, minutes * 60_000);
  const load = (await crowd.finish()) as LoadResult;
  await delay(LAST_WORDS_MS);
  const { report, events } = await recording.stop();
  const { cpuSeconds } = (await server.finish()) as { cpuSeconds: number };
  const kept = countKept(events, load.said);
  return [
    ...describePage(report, samples),
    {
      name: 'joined-within',
      unit: 's',
      samples: [joinedMs / 1000],
      bound: { is: '<=', value: 10 },
    },
    { name: 'all-seen-by-page', unit: 's', samples: [pageSawMs / 1000] },
    keptRow('chats-kept', kept.chats, load.said.length),
    keptRow('joins-kept', kept.joins, students),
    keptRow('hands-kept', kept.hands, hands),
    keptRow('events-once', new Set(kept.lines).size, kept.lines.length),
    {
      name: 'recorder-cores',
      unit: 'cores',
      samples: [(1000 * report.cpuSeconds) / report.wallMs],
    },
    { name: 'students-cores', unit: 'cores', samples: [load.cpuSeconds / load.wallSeconds] },
    { name: 'server-cores', unit: 'cores', samples: [cpuSeconds / load.wallSeconds] },
    // A starved generator says less than it should: such a round is void.
    {
      name: 'students-late',
      unit: 'ms',
      samples: [load.latestMs],
      bound: { is: '<=', value: 500 },
    },
  ];
}

type LoadResult = {
  readonly said: readonly string[];
  readonly latestMs: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
};

/** A class with one film, the teacher's, that goes on at each slot. */
async function openClass(
  signallingUrl: string,
  options: Options & { readonly folder: string; readonly resources: Resources },
): Promise<ClassroomSource> {
  const { folder, resources, minutes } = options;
  const file = path.join(folder, 'film.mp4');
  await drawFilm(file, minutes * 60 + 2 * AROUND_S);
  const film = { type: 'video/mp4', body: await readFile(file) };
  const { url } = resources.use(await servePages({ '/film.mp4': film }));
  const teacher = { participantId: 'p0', name: '李老师 Ms Li', role: 'teacher' } as const;
  const sources = [{ ...teacher, kind: 'file', url: `${url}/film.mp4` } as const];
  return { title: '千人大课', signallingUrl, layout: 'large-class', sources };
}

async function drawFilm(file: string, seconds: number): Promise<void> {
  await runProgram('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=${FPS}`],
    ...['-f', 'lavfi', '-i', 'sine=frequency=330:sample_rate=48000', '-t', String(seconds)],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', String(FPS)],
    ...['-c:a', 'aac', '-b:a', '64k', '-movflags', '+faststart', file],
  ]);
}

type Recorded = { readonly report: QualityReport; readonly events: string };

/** Records the class until it is stopped; `page` is there once it shows the class. */
function record(
  classroom: ClassroomSource,
  folder: string,
): { readonly page: Promise<Page>; stop(): Promise<Recorded> } {
  const stop = new AbortController();
  const shown = deferred<Page>();
  const recorded = recordOnce({
    source: { kind: 'classroom', classroom },
    settings: recordingSettingsSchema.parse({ fps: FPS, readiness: 'signal' }),
    out: folder,
    config: loadConfig(),
    log: createLog('bench', 'silent'),
    stopSignal: stop.signal,
    onStarted: shown.resolve,
  });
  recorded.catch(shown.reject);
  const late = (): Error => new Error(`the recording did not begin in ${READY_TIMEOUT_MS} ms`);
  return {
    page: withDeadline(shown.promise, READY_TIMEOUT_MS, late),
    stop: async () => {
      stop.abort();
      await recorded;
      const read = (name: string): Promise<string> => readFile(path.join(folder, name), 'utf8');
      const report = JSON.parse(await read('report.json')) as QualityReport;
      return { report, events: await read('events.jsonl') };
    },
  };
}

async function watchMemory(page: Page, lengthMs: number): Promise<readonly MemorySample[]> {
  const endMs = performance.now() + lengthMs;
  const samples: MemorySample[] = [];
  while (performance.now() < endMs) {
    samples.push(await sampleMemory(page));
    await delay(Math.min(SAMPLE_MS, Math.max(0, endMs - performance.now())));
  }
  return samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
}

function describePage(report: QualityReport, samples: readonly MemorySample[]): Measurement[] {
  const { framesEncoded, framesRepeated, emptySlots } = report;
  const filled = (100 * framesEncoded) / (framesEncoded + emptySlots);
  const heapSlope = slopePerMinute(samples, ({ heapMb }) => heapMb);
  const pssSlope = slopePerMinute(samples, ({ pssMb }) => pssMb);
  return [
    { name: 'slots-filled', unit: '%', samples: [filled], bound: { is: '>=', value: 99.5 } },
    { name: 'slots-repeated', unit: '%', samples: [(100 * framesRepeated) / framesEncoded] },
    {
      name: 'page-memory-slope',
      unit: 'MB/min',
      samples: [heapSlope],
      bound: { is: '<=', value: MAX_HEAP_SLOPE },
    },
    {
      name: 'chrome-memory-slope',
      unit: 'MB/min',
      samples: [pssSlope],
      bound: { is: '<=', value: MAX_PSS_SLOPE },
    },
    { name: 'page-heap', unit: 'MB', samples: samples.map(({ heapMb }) => heapMb) },
    { name: 'page-nodes', unit: '', samples: samples.map(({ nodes }) => nodes) },
    { name: 'chrome-memory', unit: 'MB', samples: samples.map(({ pssMb }) => pssMb) },
  ];
}

type Kept = Readonly<Record<'chats' | 'joins' | 'hands', number>> & {
  /** What makes an event one, of every line. */
  readonly lines: readonly string[];
};

function countKept(jsonl: string, said: readonly string[]): Kept {
  const lines = jsonl.split('\n').filter((line) => line !== '');
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const of = (type: string): Record<string, unknown>[] =>
    events.filter((event) => event.type === type);
  const texts = new Set(of('chat').map(({ text }) => text));
  const students = new Set(of('join').map(({ participantId }) => participantId));
  const hands = new Set(of('raise-hand').map(({ participantId }) => participantId));
  return {
    chats: said.filter((text) => texts.has(text)).length,
    joins: [...students].filter((id) => /^p\d+$/.test(String(id))).length,
    hands: hands.size,
    // what has no id is taken as itself
    lines: events.map(({ type, eventId }, i) => JSON.stringify([type, eventId ?? i])),
  };
}

function keptRow(name: string, kept: number, all: number): Measurement {
  return { name, unit: '%', samples: [(100 * kept) / all], bound: { is: '==', value: 100 } };
}
