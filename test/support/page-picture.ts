import { writeFile } from 'node:fs/promises';
import type { Page } from './browser.ts';
import { picturePlaces } from './layouts/picture-places.ts';
import type { GrayPicture, PixelBox } from './picture-match.ts';
import { runProgram } from './programs.ts';

/** The picture's size. */
export const WIDTH = 1280;
export const HEIGHT = 720;
/** Where the four cameras are in the small class's layout at 1280×720, as classroomState() says. */
export const TILES: readonly PixelBox[] = picturePlaces(4);
/** A page sees a change at its 2 s poll, and Chromium has to catch up, on a machine busy with a recording. */
export const PAGE_MS = 20_000;

/** Runs in the page, as text: tests are not typed for a browser. */
export async function evaluate<T>(page: Page, expression: string): Promise<T> {
  return (await page.evaluate(expression)) as T;
}

/** A PNG of the picture's size, as gray; the file is written on the way. */
export async function readPng(png: Uint8Array, file: string): Promise<GrayPicture> {
  await writeFile(file, png);
  const args = ['-v', 'error', '-i', file, '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'];
  return { luma: (await runProgram('ffmpeg', args)).stdout, width: WIDTH };
}
