import path from 'node:path';
import { findPictureClock } from '../../src/demo/picture-clock.ts';
import type { Browser, Page } from './browser.ts';
import type { DemoResult } from './demo-run.ts';
import { evaluate, HEIGHT, PAGE_MS, readPng, TILES, WIDTH } from './page-picture.ts';
import { waitUntil } from './wait-until.ts';

/** A watch page someone has open. */
export type Watcher = {
  readonly page: Page;
  readonly complaints: readonly string[];
  text(id: string): Promise<string>;
  video(): Promise<{ readonly at: number; readonly duration: number }>;
  /** The teacher's clock in the picture being shown, Unix ms; undefined while it is not legible. */
  clockMs(): Promise<number | undefined>;
};

/** Opens a watch link as a person would. */
export async function openWatcher(browser: Browser, url: string, folder: string): Promise<Watcher> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  return {
    page,
    complaints,
    text: (id) => evaluate(page, `document.getElementById('${id}').textContent`),
    video: () =>
      evaluate(page, `(({ currentTime: at, duration }) => ({ at, duration }))(${VIDEO})`),
    async clockMs() {
      const url = await evaluate<string>(page, SNAPSHOT);
      const png = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
      const { luma } = await readPng(png, path.join(folder, 'watched.png'));
      const [teacher] = TILES;
      if (teacher === undefined) return undefined;
      return findPictureClock({ luma, width: WIDTH, height: HEIGHT }, teacher, Date.now());
    },
  };
}

const VIDEO = `document.querySelector('video')`;
const SNAPSHOT = `(() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: ${WIDTH}, height: ${HEIGHT} });
  canvas.getContext('2d').drawImage(${VIDEO}, 0, 0, ${WIDTH}, ${HEIGHT});
  return canvas.toDataURL('image/png');
})()`;

/** What a watcher saw while the class went on. */
export type SeenLive = {
  readonly badge: string;
  /** How old the class's clock in the shown picture was, twice; the camera's own way to the class is part of it. */
  readonly lagsMs: readonly number[];
};
/** What a watcher saw of the whole. */
export type SeenWhole = {
  /** Of the player, s. */
  readonly duration: number;
  /** Of a place that was gone to: its recorded time minus the class's clock in the picture there. */
  readonly latencyMs: number;
  readonly highlights: string;
  /** Errors on the console of the page so far. */
  readonly complaints: readonly string[];
};

/** How far behind the class the watch page is, twice, the class being 2 s older the second time. */
export async function watchLive(watcher: Watcher): Promise<SeenLive> {
  const seen = async (afterMs: number): Promise<{ clockMs: number; lagMs: number }> =>
    waitUntil(
      'a later picture on the watch page',
      async () => {
        const clockMs = await watcher.clockMs();
        return (
          (clockMs ?? 0) > afterMs && { clockMs: clockMs ?? 0, lagMs: Date.now() - (clockMs ?? 0) }
        );
      },
      PAGE_MS,
    );
  const first = await seen(0);
  const second = await seen(first.clockMs + 2_000);
  return { badge: await watcher.text('badge'), lagsMs: [first.lagMs, second.lagMs] };
}

/** The page once the class is over: the whole, from which any place can be played. */
export async function watchWhole(
  watcher: Watcher,
  { startMs, segments }: DemoResult,
): Promise<SeenWhole> {
  await waitUntil(
    'it is the whole',
    async () => (await watcher.text('badge')) === 'Recorded',
    PAGE_MS,
  );
  const end = (segments - 1) * 1.6;
  await waitUntil(
    'all of it is there',
    async () => (await watcher.video()).duration > end,
    PAGE_MS,
  );
  await watcher.page.evaluate(`document.querySelector('video').currentTime = 3`);
  const clockMs = await waitUntil(
    'it plays from there',
    async () => {
      const { at } = await watcher.video();
      return at > 3.5 && at < 8 && (await watcher.clockMs());
    },
    PAGE_MS,
  );
  const { at, duration } = await watcher.video();
  await waitUntil(
    'the clip is offered',
    async () => (await watcher.text('highlights')).includes('Download clip'),
    PAGE_MS,
  );
  return {
    duration,
    latencyMs: startMs + at * 1000 - clockMs,
    highlights: await watcher.text('highlights'),
    complaints: [...watcher.complaints],
  };
}
