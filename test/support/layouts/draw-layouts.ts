import type { Box } from '../../../recorder/classroom/layout/box.ts';
import type { ClassroomState } from '../../../recorder/classroom/state.ts';
import { CLASS_LAYOUTS, type ClassLayout } from '../../../src/model/layout.ts';
import type { ClassroomSource } from '../../../src/model/recording.ts';
import type { Browser, Page } from '../browser.ts';
import { evaluate, PAGE_MS } from '../page-picture.ts';
import { waitUntil } from '../wait-until.ts';

/** Pictures are a quarter as wide as the page. */
const SHRUNK = 0.25;
const QUALITY = 65;
/** Lines that the class has said. */
const CHAT_LINES = 3;

/** How the page is held: its size, and the name of its reference pictures. */
export const SHAPES = {
  landscape: { width: 1280, height: 720 },
  portrait: { width: 720, height: 1280 },
} as const;
export type Shape = keyof typeof SHAPES;

/** A small JPEG of the classroom page, and where its parts are on the page itself. */
export type LayoutPicture = {
  readonly shape: Shape;
  readonly layout: ClassLayout;
  readonly jpeg: Uint8Array;
  /** Header, board, chat and tiles, whichever are shown. */
  readonly parts: readonly (Box & { readonly what: string })[];
};

const PARTS = `[...document.querySelectorAll('.header, .board, .chat, .tile')]
  .filter((part) => part.offsetWidth > 0)
  .map((part) => {
    const what = part.querySelector('.tile-name')?.textContent ?? part.className;
    return { what, ...part.getBoundingClientRect().toJSON() };
  })`;

/** Draws a class in which nothing moves in every layout, on its side and upright. `urlOf` is the page that shows it. */
export async function drawLayouts(
  browser: Browser,
  options: { readonly classroom: ClassroomSource; readonly url: string },
): Promise<readonly LayoutPicture[]> {
  const page = await browser.newPage();
  try {
    await hold(page, 'landscape');
    await page.goto(options.url);
    await waitUntil('the class stands still', () => isStill(page, options.classroom), PAGE_MS);
    const pictures: LayoutPicture[] = [];
    for (const shape of Object.keys(SHAPES) as Shape[]) {
      await hold(page, shape);
      for (const layout of CLASS_LAYOUTS) {
        await evaluate(page, `window.chalkreelLayout(${JSON.stringify({ layout })})`);
        const jpeg = await page.screenshot({ type: 'jpeg', quality: QUALITY });
        pictures.push({ shape, layout, jpeg, parts: await evaluate(page, PARTS) });
      }
    }
    return pictures;
  } finally {
    await page.close();
  }
}

async function hold(page: Page, shape: Shape): Promise<void> {
  await page.setViewport({ ...SHAPES[shape], deviceScaleFactor: SHRUNK });
}

/** Everybody is there, said all there is to say, and no camera is expected any more. */
async function isStill(page: Page, { sources }: ClassroomSource): Promise<boolean> {
  const isOpen = await evaluate(page, 'window.classroomState !== undefined');
  if (isOpen !== true) return false;
  const state = await evaluate<ClassroomState>(page, 'window.classroomState()');
  return (
    state.isReady &&
    state.roster.length === sources.length &&
    state.chat.length === CHAT_LINES &&
    state.hands.length === 1 &&
    state.spotlight !== null &&
    state.roster.some(({ muted }) => muted) &&
    state.tiles.every((tile) => tile.state === 'failed')
  );
}
