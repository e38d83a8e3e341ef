import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { startClassroomProcess } from '../../../src/cli/demo/classroom-process.ts';
import { Resources } from '../../../src/lifecycle.ts';
import { SEGMENT_MS } from '../../../src/model/grid.ts';
import { servePages, type ServedPages } from '../../support/page-server.ts';
import { recordPage } from '../../support/record-page.ts';
import { recordRoom } from '../../support/sources/record-room.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { makeCameraFilms } from './cameras.ts';
import { CAMERAS_PAGE, SLIDES_PAGE } from './pages.ts';

/** What is recorded: the demo's class (whiteboard, four small cameras, chat), slides alone, four large cameras. */
export const MATERIALS = ['lesson', 'slides', 'cameras'] as const;
export type MaterialName = (typeof MATERIALS)[number];

/** A recording on disk, as the recorder made it. */
export type Material = {
  readonly folder: string;
  /** Of the segments, in order. */
  readonly files: readonly string[];
};

/** Kept between runs: capturing takes as long as it lasts. */
const CACHE = path.resolve('.cache/bench/batch');
const FPS = 30;
/** Part of the cache's name: another number captures everything anew. */
const VERSION = 1;

/** Captures so many minutes in real time with the product's recorder, or finds them from an earlier run. */
export async function captureMaterial(name: MaterialName, minutes: number): Promise<Material> {
  const settings = JSON.stringify([VERSION, name, minutes, FPS, SLIDES_PAGE, CAMERAS_PAGE]);
  const hash = createHash('sha256').update(settings).digest('hex').slice(0, 12);
  const folder = path.join(CACHE, `${name}-${minutes}min-${hash}`);
  if (!existsSync(folder)) {
    console.error(`capturing ${minutes} min of ${name} into ${folder}`);
    await mkdir(CACHE, { recursive: true });
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    await CAPTURE[name](partial, minutes * 60);
    await rename(partial, folder);
  }
  return readMaterial(folder);
}

/** A recording in a folder with `index.m3u8`, such as `chalkreel record` makes. */
export async function readMaterial(folder: string): Promise<Material> {
  const text = await readFile(path.join(folder, 'index.m3u8'), 'utf8');
  const uris = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (uris.length === 0) throw new Error(`${folder}: expected segments, found none`);
  return { folder, files: uris.map((uri) => path.join(folder, uri)) };
}

const CAPTURE: Readonly<Record<MaterialName, (folder: string, seconds: number) => Promise<void>>> =
  { lesson: captureLesson, slides: captureSlides, cameras: captureCameras };

async function captureLesson(folder: string, seconds: number): Promise<void> {
  const resources = new Resources();
  try {
    const work = resources.use(await makeTempFolder('lesson')).path;
    const output = openSync(path.join(work, 'demo.log'), 'a');
    resources.defer(() => closeSync(output));
    const demo = { dataDir: path.join(work, 'demo'), output };
    const { classroom } = resources.use(await startClassroomProcess(demo));
    await recordRoom(classroom, { folder, seconds, fps: FPS });
  } finally {
    await resources.close();
  }
}

function captureSlides(folder: string, seconds: number): Promise<void> {
  return capturePage({ '/': SLIDES_PAGE }, { folder, seconds });
}

async function captureCameras(folder: string, seconds: number): Promise<void> {
  const work = await makeTempFolder('cameras');
  try {
    const films = await makeCameraFilms(work.path);
    await capturePage({ '/': CAMERAS_PAGE, ...films }, { folder, seconds });
  } finally {
    await work.close();
  }
}

async function capturePage(
  pages: ServedPages,
  options: { readonly folder: string; readonly seconds: number },
): Promise<void> {
  const served = await servePages(pages);
  try {
    // A whole number of segments, and one more for the lead-in.
    const seconds = (Math.ceil((options.seconds * 1000) / SEGMENT_MS + 1) * SEGMENT_MS) / 1000;
    await recordPage({ url: `${served.url}/`, folder: options.folder, seconds });
  } finally {
    await served.close();
  }
}
