import { writeFile } from 'node:fs/promises';
import { launchTestBrowser } from './browser.ts';

/** Draws a page in a browser of its own, as PNG; resolves to the file. */
export async function shootPage(
  url: string,
  options: { readonly file: string; readonly width: number; readonly height: number },
): Promise<string> {
  const { file, width, height } = options;
  const browser = await launchTestBrowser();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width, height, deviceScaleFactor: 1 });
    await page.goto(url);
    await writeFile(file, await page.screenshot({ type: 'png' }));
    return file;
  } finally {
    await browser.close();
  }
}
