import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Resources } from '../../src/lifecycle.ts';
import { barcodePage } from '../support/barcode-page.ts';
import { readBarcodes } from '../support/barcode-reader.ts';
import { launchTestBrowser, type Browser, type Page } from '../support/browser.ts';
import { readFlashes } from '../support/flash-beep-reader.ts';
import { servePages } from '../support/page-server.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const resources = new Resources();
let browser: Browser;
let url: string;
let folder: string;

beforeAll(async () => {
  folder = resources.use(await makeTempFolder('barcode')).path;
  const pages = await servePages({
    '/': barcodePage(),
    '/still': barcodePage({ still: true }),
    '/slow': barcodePage({ fps: 10 }),
    '/flash': barcodePage({ flashAndBeep: true }),
  });
  url = resources.use(pages).url;
  browser = resources.use(await launchTestBrowser());
});
afterAll(() => resources.close());

async function openPage(where: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(url + where);
  await waitUntil('a first frame', () => drawn(page));
  return page;
}

/** The number of the frame drawn last. */
async function drawn(page: Page): Promise<number | undefined> {
  const last = (await page.evaluate('window.lastDrawn')) as { frameNumber: number } | undefined;
  return last?.frameNumber;
}

async function shoot(page: Page, name: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, await page.screenshot({ type: 'png' }));
  return file;
}

describe('barcode page', () => {
  it('shows a frame number that grows and the clock of the moment', async () => {
    const page = await openPage('/');
    const fromMs = Date.now();
    const [first] = await readBarcodes(await shoot(page, 'first.png'));
    const [second] = await readBarcodes(await shoot(page, 'second.png'));
    const toMs = Date.now();
    if (first?.valid !== true || second?.valid !== true) throw new Error('Expected two barcodes.');
    expect(second.frameNumber).toBeGreaterThan(first.frameNumber);
    // The picture may have been drawn a while before it was asked for, on a busy machine.
    expect(first.clockMs).toBeGreaterThan(fromMs - 1000);
    expect(second.clockMs).toBeLessThanOrEqual(toMs + 1);
    await page.close();
  });

  it('stands still when asked to', async () => {
    const page = await openPage('/still');
    const [first] = await readBarcodes(await shoot(page, 'still-1.png'));
    const [second] = await readBarcodes(await shoot(page, 'still-2.png'));
    expect(first).toMatchObject({ valid: true, frameNumber: 0 });
    expect(second).toEqual(first);
    await page.close();
  });

  it('draws no more often than asked', async () => {
    const page = await openPage('/slow');
    const [first, fromMs] = [await drawn(page), performance.now()];
    await waitUntil('ten frames', async () => (await drawn(page))! >= first! + 10);
    // Ten frames at 10 fps last 0.9 s at least: the first may have been drawn at the end of its slot.
    expect(performance.now() - fromMs).toBeGreaterThan(890);
    await page.close();
  });

  it.each([
    { intoSecondMs: 50, flashes: 1 },
    { intoSecondMs: 950, flashes: 0 },
  ])(
    'flashes $flashes times, $intoSecondMs ms into a second, below bars that stay legible',
    async ({ intoSecondMs, flashes }) => {
      const page = await browser.newPage();
      // The page's clock stands still at the asked moment.
      await page.evaluateOnNewDocument((ms) => {
        const now = 60_000 - (performance.timeOrigin % 1000) + ms;
        performance.now = () => now;
      }, intoSecondMs);
      await page.goto(`${url}/flash`);
      await waitUntil('a first frame', () => drawn(page));
      const file = await shoot(page, `flash-${intoSecondMs}.png`);
      expect(await readFlashes(file)).toHaveLength(flashes);
      const [code] = await readBarcodes(file);
      expect(code?.valid === true && code.clockMs % 1000).toBe(intoSecondMs);
      await page.close();
    },
  );
});
