import { randomInt } from 'node:crypto';
import path from 'node:path';
import { projectView } from '../../recorder/classroom/board/project-view.ts';
import type { ClassroomState } from '../../recorder/classroom/state.ts';
import { startDemoClassroom } from '../../src/demo/classroom.ts';
import { Resources } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import { BOARD_HEIGHT, BOARD_WIDTH } from '../../src/protocol/whiteboard.ts';
import { openBoardClient, type WrittenText } from '../../src/demo/drawing.ts';
import type { Browser, Page } from './browser.ts';
import { serveBuiltPages } from './built-pages.ts';
import { evaluate, HEIGHT, PAGE_MS, readPng, WIDTH } from './page-picture.ts';
import type { GrayPicture, PixelBox } from './picture-match.ts';
import { waitUntil } from './wait-until.ts';

/** Two things nobody has written on a whiteboard before, in Latin and in Chinese, where the script draws nothing for 30 s. */
export function newTexts(): readonly [WrittenText, WrittenText] {
  const pick = (from: string): string =>
    Array.from({ length: 4 }, () => from[randomInt(from.length)]).join('');
  const style = { x: 40, size: 56, color: '#1f2933' };
  return [
    { ...style, y: 210, text: pick('ABDEGHKMNQRSWXZ2345679') },
    { ...style, y: 330, text: pick('春眠不觉晓处闻啼鸟夜来风雨声花落知多少') },
  ];
}

/** How the classroom page itself draws the texts, and the tile of a camera that has died: what a recorded picture is held against. */
export type Reference = {
  readonly picture: GrayPicture;
  /** Where each text is in the picture. */
  readonly textBoxes: readonly PixelBox[];
};

/** Shows a class of the test's own, without the script, in a browser of the test's own, and takes its picture. */
export async function renderReference(options: {
  readonly browser: Browser;
  readonly dataDir: string;
  readonly texts: readonly WrittenText[];
  readonly deadCamera: number;
}): Promise<Reference> {
  const { browser, dataDir, texts, deadCamera } = options;
  const resources = new Resources();
  try {
    const pages = resources.use(await serveBuiltPages());
    const log = createLog('test', 'silent');
    const demo = resources.use(await startDemoClassroom({ dataDir, log, script: false }));
    const guest = resources.use(openBoardClient(demo.classroom.whiteboardUrl ?? ''));
    await guest.ready();
    for (const text of texts) guest.addText(text);
    const page = await browser.newPage();
    resources.defer(() => page.close());
    await page.setViewport({ width: WIDTH, height: HEIGHT, deviceScaleFactor: 1 });
    await page.goto(pages.classroomUrl(demo.classroom));
    const state = (): Promise<ClassroomState> =>
      evaluate<ClassroomState>(page, 'window.classroomState()');
    await waitUntil('the page is ready', async () => (await state()).isReady, PAGE_MS);
    await demo.killCamera(deadCamera);
    await waitUntil(
      'the tile says so',
      async () => (await state()).tiles[deadCamera]?.state === 'reconnecting',
      PAGE_MS,
    );
    const picture = await readPng(await page.screenshot(), path.join(dataDir, 'reference.png'));
    return { picture, textBoxes: await findTextBoxes(page, texts) };
  } finally {
    await resources.close();
  }
}

async function findTextBoxes(page: Page, texts: readonly WrittenText[]): Promise<PixelBox[]> {
  const host = await evaluate<PixelBox>(
    page,
    `document.querySelector('.board-host').getBoundingClientRect().toJSON()`,
  );
  const whole = { x: 0, y: 0, width: BOARD_WIDTH, height: BOARD_HEIGHT };
  const { scrollX, scrollY, zoom } = projectView(whole, host);
  return texts.map(({ x, y, size, text }) => ({
    x: Math.round(host.x + (x + scrollX) * zoom),
    y: Math.round(host.y + (y + scrollY) * zoom),
    // A Chinese character is as wide as it is high, and a line a quarter higher.
    width: Math.round(text.length * size * zoom),
    height: Math.round(1.25 * size * zoom),
  }));
}
