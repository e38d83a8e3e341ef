import path from 'node:path';
import { projectView } from '../../recorder/classroom/board/project-view.ts';
import { openBoardClient, type BoardClient } from '../../src/demo/drawing.ts';
import { Resources } from '../../src/lifecycle.ts';
import { barcodePage } from './barcode-page.ts';
import { readBarcodes } from './barcode-reader.ts';
import { startBoardClass, type BoardClass } from './board-class.ts';
import type { Browser } from './browser.ts';
import { serveBuiltPages } from './built-pages.ts';
import { readGrayFrames, type GrayFrame, type Region } from './gray-frames.ts';
import { evaluate } from './page-picture.ts';
import type { PixelBox } from './picture-match.ts';
import { recordPage, type RecordedPage } from './record-page.ts';
import { waitUntil } from './wait-until.ts';

const SIZE = { width: 1280, height: 720 };
/** The barcode has the upper sixth; the class is below it. */
const CLASS_TOP = SIZE.height / 6;
/** What is drawn lies in squares of the board, one after the other. */
const COLUMNS = 16;
const ROWS = 8;
const CELL = 100;
const WHOLE = { x: 0, y: 0, width: COLUMNS * CELL, height: ROWS * CELL };
const FPS = 30;
/** From one stroke to the next; not a multiple of a frame or of a segment. */
const EVERY_MS = 370;
/** A cell that has been drawn in is darker by 40 to 150; coding moves a white one by less than 3. */
const DARKER = 15;
/** Luma of a cell of white paper is 250, in limited range 235. */
const PAPER = 225;
/** A recorder starts in a few seconds, on a busy machine later. */
const START_MS = 90_000;
/** A picture's stated time is good to a frame, either way: one that shows a stroke may lie before it was sent. */
const EARLIEST_MS = -1500 / FPS;
/** PTS of a recording's origin, s. */
const FIRST_PTS_S = 10;

/** One thing that was drawn, and the first recorded picture that shows it. Times are Unix ms; NaN where no picture does. */
export type DrawnStroke = {
  readonly kind: 'stroke' | 'text';
  /** When it was given to the second client's board. */
  readonly sentAtMs: number;
  /** The time that the recording states for the picture. */
  readonly recordedAtMs: number;
  /** What the barcode clock says in the picture. */
  readonly clockMs: number;
};

/**
 * Records the built-in classroom page with a barcode clock above it for some seconds, while a second client draws strokes and writes
 * Chinese characters on its whiteboard; at most 128.
 */
export async function recordBoard(options: {
  readonly folder: string;
  readonly seconds: number;
  /** Looks beforehand where on the page the board is. */
  readonly browser: Browser;
}): Promise<{ readonly strokes: readonly DrawnStroke[]; readonly recorded: RecordedPage }> {
  const resources = new Resources();
  try {
    const board = resources.use(await startBoardClass());
    const pages = resources.use(await serveBuiltPages({ '/clock': CLASS_BELOW_CLOCK }));
    const url = pages.classroomUrl(board.classroom);
    const region = await findBoard(options.browser, url);
    const teacher = resources.use(openBoardClient(board.whiteboardUrl));
    await teacher.ready();
    const { seconds, folder } = options;
    const recording = recordPage({
      ...{ url: `${pages.url}/clock${new URL(url).hash}`, seconds },
      folder: path.join(folder, 'recording'),
      args: ['--await-signal', `--ready-timeout=${START_MS / 1000}`],
    });
    const drawing = drawWhile(recording, board, teacher);
    const [recorded, sent] = await Promise.all([recording, drawing]);
    return { recorded, strokes: await findStrokes(recorded, region, sent) };
  } finally {
    await resources.close();
  }
}

/** Loads the class that its own URL's fragment names, and says that it is ready when the board is drawn. */
const CLASS_BELOW_CLOCK = `${barcodePage({ fps: FPS })}<style>iframe { position: fixed; left: 0; top: ${CLASS_TOP}px;
  width: 100%; height: ${SIZE.height - CLASS_TOP}px; border: 0 }</style><iframe></iframe><script>
  document.querySelector('iframe').src = '/recorder/classroom/index.html' + location.hash;
  const waiting = setInterval(() => {
    const state = frames[0].classroomState?.();
    if (!state?.isReady || !state.board.synced) return;
    clearInterval(waiting);
    window.chalkreel?.ready();
  }, 50)</script>`;

/** Where the board's whole view is in the recorded picture. */
async function findBoard(browser: Browser, url: string): Promise<Region> {
  const page = await browser.newPage();
  try {
    await page.setViewport({ width: SIZE.width, height: SIZE.height - CLASS_TOP });
    await page.goto(url);
    await waitUntil('the board is drawn', () => evaluate<boolean>(page, IS_READY), START_MS);
    const host = await evaluate<PixelBox>(
      page,
      `document.querySelector('.board-host').getBoundingClientRect().toJSON()`,
    );
    const { scrollX, scrollY, zoom } = projectView(WHOLE, host);
    return {
      x: (host.x + scrollX * zoom) / SIZE.width,
      y: (CLASS_TOP + host.y + scrollY * zoom) / SIZE.height,
      width: (WHOLE.width * zoom) / SIZE.width,
      height: (WHOLE.height * zoom) / SIZE.height,
    };
  } finally {
    await page.close();
  }
}
const IS_READY = `window.classroomState?.().isReady === true && window.classroomState().board.synced`;

type Sent = Pick<DrawnStroke, 'kind' | 'sentAtMs'>;

/** Draws as long as the recording runs, from the time its page is at the board. */
async function drawWhile(
  recording: Promise<unknown>,
  board: BoardClass,
  teacher: BoardClient,
): Promise<readonly Sent[]> {
  const state = { isOver: false };
  const over = recording.finally(() => (state.isOver = true));
  await Promise.race([
    over,
    waitUntil('the recorder joins', () => board.connections() > 1, START_MS),
  ]);
  const sent: Sent[] = [];
  for (let cell = 0; cell < COLUMNS * ROWS && !state.isOver; cell++) {
    const sentAtMs = Date.now();
    sent.push({ sentAtMs, kind: drawIn(teacher, cell) });
    const isNext = (): boolean => state.isOver || Date.now() >= sentAtMs + EVERY_MS;
    await waitUntil('time for the next stroke', isNext, START_MS);
  }
  return sent;
}

function drawIn(teacher: BoardClient, cell: number): Sent['kind'] {
  const [x, y] = [(cell % COLUMNS) * CELL, Math.floor(cell / COLUMNS) * CELL];
  if (cell % 2 === 1) {
    const text = '勾股定理几何證明'[cell % 8] ?? '字';
    teacher.addText({ x: x + 5, y: y - 5, text, size: 88, color: '#000000' });
    return 'text';
  }
  const points = [20, 20, 80, 20, 20, 50, 80, 50, 20, 80, 80, 80].map(
    (n, i) => n + (i % 2 ? y : x),
  );
  teacher.beginStroke({ points, color: '#000000', width: 5 });
  return 'stroke';
}

async function findStrokes(
  { playlist, originMs }: RecordedPage,
  region: Region,
  sent: readonly Sent[],
): Promise<DrawnStroke[]> {
  const frames = await readGrayFrames(playlist, { region, columns: COLUMNS, rows: ROWS });
  const clocks = await readBarcodes(playlist);
  const timeOf = (ptsS: number): number => originMs + (ptsS - FIRST_PTS_S) * 1000;
  // what was sent before the page showed anything of the board, or in the last second, no picture need show
  const appearedMs = timeOf(frames.find(isShown)?.ptsS ?? Infinity);
  const endMs = timeOf(frames.at(-1)?.ptsS ?? 0) - 1000;
  return sent.flatMap(({ kind, sentAtMs }, cell) => {
    if (sentAtMs < appearedMs || sentAtMs > endMs) return [];
    const fromMs = sentAtMs + EARLIEST_MS;
    const white = frames.findLast(({ ptsS }) => timeOf(ptsS) <= fromMs)?.cells[cell] ?? 255;
    const i = frames.findIndex(
      ({ ptsS, cells }) => timeOf(ptsS) > fromMs && (cells[cell] ?? 255) < white - DARKER,
    );
    const clock = clocks[i];
    return {
      ...{ kind, sentAtMs, recordedAtMs: timeOf(frames[i]?.ptsS ?? NaN) },
      clockMs: clock?.valid === true ? clock.clockMs : NaN,
    };
  });
}

/** Paper, and something drawn on it. */
function isShown({ cells }: GrayFrame): boolean {
  const paper = cells.filter((luma) => luma > PAPER).length;
  return paper > cells.length / 2 && cells.some((luma) => luma < PAPER - DARKER);
}
