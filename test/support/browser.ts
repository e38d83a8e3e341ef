import puppeteer, { type Browser } from 'puppeteer';
import { findProgram } from '../../src/programs.ts';

export type { Browser, Page } from 'puppeteer';

/**
 * A headless Chromium for tests, with sound played without a gesture. Close it. Throws where Chromium is missing.
 */
export async function launchTestBrowser(args: readonly string[] = []): Promise<Browser> {
  const executablePath = findProgram('chromium', 'google-chrome');
  if (executablePath === undefined) throw new Error('Expected chromium on PATH.');
  return puppeteer.launch({
    executablePath,
    headless: true,
    defaultViewport: { width: 1280, height: 720, deviceScaleFactor: 1 },
    args: [
      '--disable-gpu',
      '--autoplay-policy=no-user-gesture-required',
      '--window-size=1280,720',
      '--hide-scrollbars',
      '--disable-background-networking',
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ...args,
    ],
  });
}
