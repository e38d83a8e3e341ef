import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Resources, type Closable } from '../../src/lifecycle.ts';
import { slotsPerSegment } from '../../src/model/grid.ts';
import { getPagesDir } from '../../src/pages-dir.ts';
import { openApiServer, type ApiServer } from './api-server.ts';
import { launchTestBrowser, type Browser } from './browser.ts';
import { writeSyntheticRecording } from './synthetic-recording.ts';
import { makeTempFolder } from './temp-folder.ts';
import { waitUntil } from './wait-until.ts';
import { beginLesson, LESSON_SETTINGS, type Lesson, type LessonOptions } from './web-lesson.ts';

/** A role process starts in a second on a free machine, in several on a busy one. */
const ROLE_START_MS = 30_000;

/** The service with its pages, a browser to open them in, and lessons made of a test pattern. */
export type WebWorld = Closable & {
  readonly api: ApiServer;
  readonly browser: Browser;
  /** Begins a lesson; one that was created already goes on from there. */
  beginLesson(options: LessonOptions): Promise<Lesson>;
  /** Makes a link that can be taken back. */
  share(wish: object): Promise<{ readonly id: string; readonly url: string }>;
};

/** Starts services, api, highlight role and Chromium. `segments` is the longest lesson there can be. */
export async function openWebWorld(options: { readonly segments: number }): Promise<WebWorld> {
  const resources = new Resources();
  try {
    const folder = resources.use(await makeTempFolder('web')).path;
    const media = await makeSegments(folder, options.segments);
    const api = resources.use(await openApiServer(getPagesDir()));
    const browser = await launchTestBrowser();
    resources.defer(() => browser.close());
    resources.use(await startHighlightRole(api));
    return {
      api,
      browser,
      beginLesson: (lesson) => beginLesson({ api, media, resources }, lesson),
      async share(wish) {
        const { status, body } = await api.json('POST', '/v1/shares', wish);
        if (status !== 201) throw new Error(`Expected a share, got ${JSON.stringify(body)}`);
        return { id: String(body.id), url: String(body.url) };
      },
      close: () => resources.close(),
    };
  } catch (error) {
    await resources.close();
    throw error;
  }
}

async function makeSegments(folder: string, segments: number): Promise<Buffer[]> {
  const { fps } = LESSON_SETTINGS;
  const slots = Array.from({ length: slotsPerSegment(fps) }, (_, slot) => slot);
  await writeSyntheticRecording(folder, { segments, slots, fps });
  const names = Array.from({ length: segments }, (_, n) => `${String(n).padStart(5, '0')}.ts`);
  return Promise.all(names.map((name) => readFile(path.join(folder, name))));
}

/** Makes clips, in a process of its own as in production. */
async function startHighlightRole({ services }: ApiServer): Promise<Closable> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'highlight/main.ts'], {
    env: {
      PATH: process.env.PATH,
      CHALKREEL_DATA_DIR: services.dataDir,
      CHALKREEL_REDIS_URL: services.redisUrl,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const exited = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  await waitUntil(
    'the highlight role is ready',
    () => {
      if (child.exitCode !== null) throw new Error(`The highlight role ended: ${said}`);
      return said.includes('is ready');
    },
    ROLE_START_MS,
  );
  return { close };
}
