import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '../config.ts';
import { asChalkreelError, ChalkreelError, inputError } from '../errors.ts';
import { makeFolder } from '../folders.ts';
import { Resources } from '../lifecycle.ts';
import { createLog } from '../log.ts';
import { makeContactSheet } from '../media/contact-sheet.ts';
import { SEGMENT_MS } from '../model/grid.ts';
import { isFinal } from '../model/recording.ts';
import { whenToldToStop } from '../parent-watch.ts';
import { openObjectStore } from '../storage/objects/open-object-store.ts';
import { startClassroomProcess, type ClassroomProcess } from './demo/classroom-process.ts';
import { openDataFolder, type DataFolder } from './demo/data-folder.ts';
import { exportClip, exportRecording } from './demo/export-folder.ts';
import { LiveLine } from './demo/live-line.ts';
import { arrangeClass, planDemo, type DemoOptions, type DemoPlan } from './demo/options.ts';
import { Platform, type RecordingView } from './demo/platform.ts';
import { startSystem } from './supervisor.ts';

/** From POST to the first picture; 3 s is promised, a busy machine gets more. */
const START_TIMEOUT_MS = 30_000;
/** From stop to completed: to the boundary, and 2 s. */
const STOP_TIMEOUT_MS = 20_000;
const CLIP_TIMEOUT_MS = 60_000;
/** The teacher's moment: this much before the press and after it. */
const BEFORE_MS = 10_000;
const AFTER_MS = 2_000;
/** Exit code after Ctrl-C, as shells have it. */
const EXIT_INTERRUPTED = 130;

/**
 * The main job: starts the whole system and the demo classroom, records it through the API as a platform would, lets the
 * teacher save a moment, stops, and writes what was made into a folder. Resolves to the exit code.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const toldToStop = whenToldToStop().then(() => 'interrupted' as const);
  const plan = planDemo(options);
  const out = await prepareFolder(options.out);
  const resources = new Resources();
  try {
    const data = resources.use(await openDataFolder());
    try {
      return await demonstrate({ options, plan, out, data, toldToStop, resources });
    } catch (error) {
      if (asChalkreelError(error).fault !== 'input') await keepLog(data, out);
      throw error;
    }
  } finally {
    await resources.close();
  }
}

/** A recording that failed leaves what there is of it, and is not a success. */
function assertCompleted({ state, history }: RecordingView): void {
  if (state !== 'failed') return;
  const { reason, detail } = history.at(-1) ?? {};
  const message = `the recording failed: ${detail ?? reason ?? 'it gave no reason'}`;
  throw new ChalkreelError('recording-failed', message, { fault: 'dependency' });
}

async function keepLog(data: DataFolder, out: string): Promise<void> {
  const file = path.join(out, 'system.log');
  await data.keepLog(file);
  process.stderr.write(`what the system said is in ${file}\n`);
}

async function demonstrate(demo: {
  readonly options: DemoOptions;
  readonly plan: DemoPlan;
  readonly out: string;
  readonly data: DataFolder;
  readonly toldToStop: Promise<'interrupted'>;
  readonly resources: Resources;
}): Promise<number> {
  const { options, plan, out, data, toldToStop, resources } = demo;
  // For someone who waits; elsewhere, a fault found while starting is the only line.
  if (process.stderr.isTTY) process.stderr.write('starting Chalkreel and the demo classroom\n');
  const system = resources.use(
    await startSystem({
      config: { ...loadConfig(), dataDir: data.path, port: 0 },
      log: createLog('supervisor', 'warn'),
      output: data.logOutput,
    }),
  );
  process.stderr.write(`API: ${system.url}\nAPI key: ${system.apiKey}\n`);
  const classroom = resources.use(
    await startClassroomProcess({
      dataDir: path.join(data.path, 'demo'),
      output: data.logOutput,
      sources: options.sources,
    }),
  );
  if (options.sources === undefined && classroom.classroom.sources[0]?.kind === 'hls') {
    process.stderr.write('Janus is not installed (npm run setup): cameras come by HLS\n');
  }
  const platform = new Platform(system);
  const made = await recordLesson({ platform, classroom, plan, toldToStop });
  const store = await openObjectStore(system.config);
  const result = await exportLesson({ platform, made, out, store });
  process.stdout.write(options.json === true ? `${JSON.stringify(result)}\n` : describe(result));
  assertCompleted(made.recording);
  if (made.isInterrupted) return EXIT_INTERRUPTED;
  if (options.keep === true) {
    process.stderr.write(`still serving; watch: ${made.recording.links.watch}\nCtrl-C ends it\n`);
    await toldToStop;
  }
  return 0;
}

/** The asked folder, or a new one in `demo-out` named by the time. Throws `folder-not-writable`, `folder-not-empty`. */
async function prepareFolder(asked: string | undefined): Promise<string> {
  const stamp = new Date().toISOString().replace(/[-:]/g, '').replace(/\..*/, '');
  const out = path.resolve(asked ?? path.join('demo-out', stamp));
  if (['demo.json', 'recording'].some((name) => existsSync(path.join(out, name)))) {
    throw inputError(
      'out',
      `out: ${out} holds a demo already; name another folder`,
      'folder-not-empty',
    );
  }
  await makeFolder(out).catch((error: unknown) => {
    throw inputError(
      'out',
      `out: cannot write to ${out} (${String(error)})`,
      'folder-not-writable',
    );
  });
  return out;
}

type Lesson = {
  readonly recording: RecordingView;
  readonly isInterrupted: boolean;
  readonly hasHighlight: boolean;
  /** Mean over the recording, and the most that was seen. */
  readonly cores: number;
  readonly memoryMb: number;
};

async function recordLesson(options: {
  readonly platform: Platform;
  readonly classroom: ClassroomProcess;
  readonly plan: DemoPlan;
  readonly toldToStop: Promise<'interrupted'>;
}): Promise<Lesson> {
  const { platform, classroom, plan } = options;
  const { seconds, size = {} } = plan;
  const line = new LiveLine();
  const costs = new Map<number, { readonly cores: number; readonly memoryMb: number }>();
  let isInterrupted = false;
  void options.toldToStop.then(() => {
    isInterrupted = true;
  });
  const onSeen = (recording: RecordingView): void => {
    line.show(recording);
    if (
      recording.state === 'recording' &&
      recording.progress !== null &&
      recording.progress.cores > 0
    ) {
      costs.set(recording.progress.atMs, recording.progress);
    }
  };
  const { id, links } = await platform.createRecording({
    classroom: arrangeClass(classroom.classroom, plan),
    externalId: 'demo',
    settings: { readiness: 'signal', ...size },
  });
  process.stderr.write(`watch: ${links.watch}\n`);
  const started = await platform.watch(id, {
    isDone: ({ state }) => state === 'recording' || isInterrupted,
    onSeen,
    timeoutMs: START_TIMEOUT_MS,
  });
  const startMs = started.history.at(-1)?.atMs ?? Date.now();
  const triggerAtMs = startMs + Math.max(seconds * 600, seconds * 1000 - 8_000);
  let hasHighlight = false;
  await platform.watch(id, {
    isDone: () => {
      if (!hasHighlight && Date.now() >= triggerAtMs) {
        hasHighlight = true;
        classroom.triggerHighlight({
          triggerId: 'demo-moment',
          beforeMs: BEFORE_MS,
          afterMs: AFTER_MS,
          title: '那一刻 · that was it',
        });
      }
      return isInterrupted || Date.now() >= startMs + seconds * 1000;
    },
    onSeen,
    timeoutMs: seconds * 1000 + STOP_TIMEOUT_MS,
  });
  await platform.stopRecording(id);
  const recording = await platform.watch(id, {
    isDone: ({ state }) => isFinal(state),
    onSeen,
    timeoutMs: STOP_TIMEOUT_MS,
  });
  line.end();
  const seen = [...costs.values()];
  const cores = seen.reduce((sum, cost) => sum + cost.cores, 0) / Math.max(1, seen.length);
  const memoryMb = Math.max(0, ...seen.map((cost) => cost.memoryMb));
  return { recording, isInterrupted, hasHighlight, cores: Number(cores.toFixed(2)), memoryMb };
}

/** Keys of the demo's result, on stdout with `--json` and in demo.json. */
type DemoResult = {
  readonly recordingId: string;
  readonly directory: string;
  readonly playlist: string;
  readonly clip: string | null;
  readonly poster: string | null;
  readonly contactSheet: string;
  readonly segments: number;
  readonly startMs: number;
  readonly stopMs: number;
  readonly framesCaptured: number;
  readonly framesDropped: number;
  readonly cores: number;
  readonly memoryMb: number;
};

async function exportLesson(options: {
  readonly platform: Platform;
  readonly made: Lesson;
  readonly out: string;
  readonly store: Awaited<ReturnType<typeof openObjectStore>>;
}): Promise<DemoResult> {
  const { platform, made, out, store } = options;
  const { recording } = made;
  const { id, originMs, progress } = recording;
  await exportRecording(store, id, path.join(out, 'recording'));
  const playlist = path.join(out, 'recording', 'index.m3u8');
  if (made.hasHighlight) {
    const highlight = await platform.waitForClip(id, CLIP_TIMEOUT_MS);
    const clip = { id: highlight.id, playlist: await platform.text(highlight.links.playlist) };
    await exportClip(store, clip, path.join(out, 'clip'));
  }
  const contactSheet = path.join(out, 'contact.png');
  await makeContactSheet({ input: playlist, outputPng: contactSheet });
  const segments = progress?.segments ?? 0;
  const result: DemoResult = {
    recordingId: id,
    directory: out,
    playlist,
    clip: made.hasHighlight ? path.join(out, 'clip', 'clip.mp4') : null,
    poster: made.hasHighlight ? path.join(out, 'clip', 'poster.jpg') : null,
    contactSheet,
    segments,
    startMs: originMs ?? 0,
    stopMs: (originMs ?? 0) + segments * SEGMENT_MS,
    framesCaptured: progress?.framesCaptured ?? 0,
    framesDropped: progress?.framesDropped ?? 0,
    cores: made.cores,
    memoryMb: made.memoryMb,
  };
  await writeFile(path.join(out, 'demo.json'), `${JSON.stringify(result, null, 2)}\n`);
  return result;
}

function describe(result: DemoResult): string {
  return [
    `recording      ${result.playlist} (${result.segments} segments of 1.6 s)`,
    `segments       ${path.join(result.directory, 'recording', 'segments')}`,
    `clip           ${result.clip ?? 'none'}`,
    `poster         ${result.poster ?? 'none'}`,
    `contact sheet  ${result.contactSheet}`,
    `cost           ${result.cores} cores, ${result.memoryMb} MB`,
    '',
  ].join('\n');
}
