import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Resources } from '../../src/lifecycle.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import { objectKeys } from '../../src/storage/keys.ts';
import { openApiServer, type ApiServer } from '../support/api-server.ts';
import { launchTestBrowser, type Browser, type Page } from '../support/browser.ts';
import { sampleEntry, sampleRecording } from '../support/sample-records.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const SEGMENTS = 12;
/** Chromium starts to play, or sees a change at the page's 2 s poll, on a machine busy with other tests. */
const PAGE_MS = 20_000;

const resources = new Resources();
let api: ApiServer;
let browser: Browser;
let media: Buffer[];

beforeAll(async () => {
  const pages = resources.use(await makeTempFolder('pages'));
  await build({
    configFile: path.resolve('vite.config.ts'),
    build: { outDir: pages.path, rolldownOptions: { input: { watch: 'src/web/watch.html' } } },
  });
  media = await makeSegments();
  api = resources.use(await openApiServer(pages.path));
  browser = await launchTestBrowser();
  resources.defer(() => browser.close());
});
afterAll(() => resources.close());

/** Consecutive segments of 1.6 s, H.264 and AAC. */
async function makeSegments(): Promise<Buffer[]> {
  const folder = resources.use(await makeTempFolder('media'));
  const duration = String((SEGMENTS * SEGMENT_MS) / 1000);
  await promisify(execFile)('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30'],
    ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', '-t', duration],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '48'],
    ...['-keyint_min', '48', '-sc_threshold', '0', '-c:a', 'aac', '-ac', '2'],
    ...['-f', 'hls', '-hls_time', '1.6', '-hls_list_size', '0'],
    ...['-hls_segment_filename', path.join(folder.path, '%03d.ts')],
    path.join(folder.path, 'index.m3u8'),
  ]);
  const names = (await readdir(folder.path)).filter((name) => name.endsWith('.ts')).sort();
  expect(names).toHaveLength(SEGMENTS);
  return Promise.all(names.map((name) => readFile(path.join(folder.path, name))));
}

async function publish(id: string, n: number): Promise<void> {
  const object = objectKeys.segment(id, { n, lane: 0, epoch: 1 });
  const bytes = media[n] ?? Buffer.alloc(0);
  await api.services.store.putOnce(object, bytes);
  const place = { object, offset: 0, length: bytes.length };
  await api.services.segments.append(id, sampleEntry(n, { place }));
}

async function watchUrlOf(id: string): Promise<string> {
  const { body } = await api.json('GET', `/v1/recordings/${id}`);
  return String((body.links as Record<string, unknown>).watch);
}

async function openPage(url: string): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage();
  await page.setViewport({ width: 390, height: 844, isMobile: true, hasTouch: true });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  return { page, complaints };
}

/** Runs in the page, as text: tests are not typed for a browser. */
async function evaluate<T>(page: Page, expression: string): Promise<T> {
  return (await page.evaluate(expression)) as T;
}

const textOf = (page: Page, id: string): Promise<string> =>
  evaluate(page, `document.getElementById('${id}').textContent`);
const timesOf = (page: Page): Promise<{ at: number; duration: number; width: number }> =>
  evaluate(
    page,
    `(({ currentTime, duration, videoWidth }) => ({ at: currentTime, duration, width: videoWidth }))(
      document.querySelector('video'),
    )`,
  );

it('shows a class from before its beginning, live, and then the whole, with its highlights', async () => {
  const id = 'watched';
  const originMs = Math.floor(Date.now() / SEGMENT_MS) * SEGMENT_MS - 6 * SEGMENT_MS;
  const metadata = { title: '数学课 · fractions' };
  await api.services.recordings.create(sampleRecording({ id, state: 'starting', metadata }));
  const { page, complaints } = await openPage(await watchUrlOf(id));
  await waitUntil(
    'it waits',
    async () => (await textOf(page, 'notice')).includes('about to begin'),
    PAGE_MS,
  );
  expect(await textOf(page, 'title')).toBe('数学课 · fractions');

  await api.services.recordings.update(id, (r) => ({ ...r, state: 'recording', originMs }));
  for (let n = 0; n < 7; n++) await publish(id, n);
  await waitUntil('it plays live', async () => (await timesOf(page)).width === 640, PAGE_MS);
  expect(await textOf(page, 'badge')).toBe('Live');
  const joined = await waitUntil(
    'the picture moves',
    async () => {
      const { at } = await timesOf(page);
      return at > 1 && at;
    },
    PAGE_MS,
  );
  // Joined near the newest picture (11.2 s), not at the start: three segments and one being fetched behind it.
  expect(joined).toBeGreaterThan(11.2 - 5 * 1.6);

  await page.click('#sound');
  await waitUntil(
    'it has sound, and offers it no more',
    async () =>
      evaluate<boolean>(
        page,
        `!document.querySelector('video').muted && document.getElementById('sound').hidden`,
      ),
    PAGE_MS,
  );

  const trigger = { atMs: originMs + 6000, beforeMs: 4000, afterMs: 1000, title: '精彩瞬间' };
  await api.json('POST', `/v1/recordings/${id}/highlights`, trigger);
  await waitUntil(
    'the highlight is listed',
    async () => (await textOf(page, 'highlights')).includes('精彩瞬间'),
    PAGE_MS,
  );

  for (let n = 7; n < SEGMENTS; n++) await publish(id, n);
  await api.services.recordings.update(id, (r) => ({ ...r, state: 'completed' }));
  await waitUntil(
    'it is the whole',
    async () => (await textOf(page, 'badge')) === 'Recorded',
    PAGE_MS,
  );
  const total = (SEGMENTS * SEGMENT_MS) / 1000;
  await waitUntil(
    'the whole can be played',
    // A tenth of a second: ffmpeg's AAC and pictures do not end together, unlike ours.
    async () => Math.abs((await timesOf(page)).duration - total) < 0.1,
    PAGE_MS,
  );
  await page.click('#highlights button');
  await waitUntil(
    'it shows the moment',
    async () => {
      const { at } = await timesOf(page);
      return at >= 2 && at < 6;
    },
    PAGE_MS,
  );
  expect(await evaluate(page, 'document.documentElement.scrollWidth')).toBe(390);
  expect(complaints).toEqual([]);
  await page.close();
});

it('says that a link is not valid, to people and to programs', async () => {
  await api.services.recordings.create(sampleRecording({ id: 'closed' }));
  const response = await fetch(`${api.url}/watch/closed?t=forged`);
  expect(response.status).toBe(403);
  const { page } = await openPage(`${api.url}/watch/closed?t=forged`);
  await waitUntil(
    'it says so',
    async () => (await textOf(page, 'notice')).includes('not valid'),
    PAGE_MS,
  );
  await page.close();
});
