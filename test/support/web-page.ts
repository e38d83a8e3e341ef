import { readdir, readFile } from 'node:fs/promises';
import type { Browser, Page } from './browser.ts';
import { makeTempFolder } from './temp-folder.ts';
import { waitUntil } from './wait-until.ts';

/** Chromium starts to play, or sees a change at the page's 2 s poll, on a machine busy with other tests. */
export const PAGE_MS = 30_000;

/** Phones people have, and a desktop. */
export const DEVICES = {
  phone: { width: 390, height: 844, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
  smallest: { width: 320, height: 568, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
  desktop: { width: 1280, height: 800 },
} as const;

/** A page someone has open. */
export type WebPage = {
  readonly page: Page;
  /** Errors on its console, and thrown ones. */
  readonly complaints: readonly string[];
  /** Runs in the page, as text: tests are not typed for a browser. */
  evaluate<T>(expression: string): Promise<T>;
  /** Of the first element that matches; empty where there is none. */
  text(selector: string): Promise<string>;
  isShown(selector: string): Promise<boolean>;
  /** Presses it once it is there, in view and standing still, as a person would; again if it moved from under the finger. */
  readonly press: (selector: string) => Promise<void>;
  box(selector: string): Promise<{ x: number; y: number; width: number; height: number }>;
  /** Waits until the expression is true in the page. */
  until(what: string, expression: string): Promise<void>;
  video(): Promise<{ at: number; duration: number; width: number; ended: boolean; source: string }>;
};

/** Opens a page as a person would. `dark` is the colour scheme of the system. */
export async function openWebPage(
  browser: Browser,
  url: string,
  options: { readonly device?: keyof typeof DEVICES; readonly dark?: boolean } = {},
): Promise<WebPage> {
  const { device = 'phone', dark = false } = options;
  const page = await browser.newPage();
  await page.setViewport(DEVICES[device]);
  const value = dark ? 'dark' : 'light';
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  const evaluate = async <T>(expression: string): Promise<T> =>
    (await page.evaluate(expression)) as T;
  return {
    page,
    complaints,
    evaluate,
    text: (selector) => evaluate(`document.querySelector('${selector}')?.textContent ?? ''`),
    isShown: (selector) =>
      evaluate(`document.querySelector('${selector}')?.checkVisibility() ?? false`),
    press: (selector) => page.locator(selector).setTimeout(PAGE_MS).click(),
    box: (selector) =>
      evaluate(`(({ x, y, width, height }) => ({ x, y, width, height }))(
        document.querySelector('${selector}').getBoundingClientRect())`),
    async until(what, expression) {
      await waitUntil(what, () => evaluate<boolean>(`Boolean(${expression})`), PAGE_MS);
    },
    video: () =>
      evaluate(`(({ currentTime: at, duration, videoWidth: width, ended, currentSrc: source }) =>
        ({ at, duration, width, ended, source }))(document.querySelector('video'))`),
  };
}

/** Presses something that downloads an MP4, as a person would; the file as it lies in the folder for downloads. */
export async function downloadBy(
  { page, press }: WebPage,
  selector: string,
): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  const folder = await makeTempFolder('downloads');
  try {
    const session = await page.createCDPSession();
    const behavior = { behavior: 'allow', downloadPath: folder.path } as const;
    await session.send('Browser.setDownloadBehavior', behavior);
    await press(selector);
    // Until it is whole it has another ending.
    const isWhole = (file: string): boolean => file.endsWith('.mp4');
    const name = await waitUntil(
      'the download is whole',
      async () => (await readdir(folder.path)).find(isWhole),
      PAGE_MS,
    );
    return { name, bytes: await readFile(`${folder.path}/${name}`) };
  } finally {
    await folder.close();
  }
}
