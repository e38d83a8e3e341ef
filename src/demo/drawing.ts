import { randomInt, randomUUID } from 'node:crypto';
import WebSocket from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { ChalkreelError } from '../errors.ts';
import { withDeadline, type Closable } from '../lifecycle.ts';
import { estimateTextSize, type NewBoardElement } from '../protocol/board-element.ts';
import {
  boardFileSchema,
  boardPageSchema,
  boardViewSchema,
  elementsName,
  DEFAULT_PAGE,
  FILES,
  PAGES,
  STATE,
  splitBoardUrl,
  VIEW,
  type BoardFile,
  type BoardPage,
  type BoardPresence,
  type BoardView,
} from '../protocol/whiteboard.ts';
import type { Path } from './paths.ts';

const SYNC_TIMEOUT_MS = 10_000;
const LASER_RED = '#e03131';

/** Text on the board: `x` and `y` are its upper left corner, `size` its height; board units. */
export type WrittenText = {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly size: number;
  readonly color: string;
  /** Excalidraw's number of a font; default 5, its handwriting. */
  readonly font?: Extract<NewBoardElement, { type: 'text' }>['fontFamily'];
};
/** A stroke's points in board units, x and y by turns. Excalidraw draws it up to 4.25 times as wide as `width` says. */
export type Stroke = { readonly points: Path; readonly color: string; readonly width: number };
/** An element, without what every element gets. */
export type Shape = NewBoardElement extends infer E
  ? E extends unknown
    ? Omit<E, 'id'>
    : never
  : never;

export type Region = Omit<BoardView, 'page'>;

/**
 * Somebody at a whiteboard: an ordinary y-websocket client, who writes what `src/protocol/whiteboard.ts` describes. All is drawn on the
 * page that is shown; calls that add something return its id.
 */
export type BoardClient = Closable & {
  readonly doc: Y.Doc;
  /** Resolves when what the server has is here; throws `whiteboard-unreachable` after 10 s. */
  ready(): Promise<void>;
  addText(text: WrittenText): string;
  addShape(shape: Shape): string;
  /** Begins a stroke; the returned function makes it longer, and sends no more than the new points. */
  beginStroke(stroke: Stroke): (points: Path) => void;
  /** Puts an image on the board; the same image is sent once. */
  addImage(image: BoardFile, box: Region): string;
  /** Empties all pages. */
  clear(): void;
  /** Shows a region of a page, which is added where there is none of its id, to all who follow. */
  turnTo(page: BoardPage, region: Region): void;
  /** Shows a region of the page to all who follow. */
  setView(region: Region): void;
  /** Points with the laser; null puts it down, and its trail fades. */
  laser(at: { readonly x: number; readonly y: number } | null, color?: string): void;
  /** Client ids of all who are seen at the board. */
  present(): readonly number[];
};

/** Joins a whiteboard by its URL. It goes on trying where there is no server; close it. */
export function openBoardClient(url: string, { name = '' } = {}): BoardClient {
  const doc = new Y.Doc();
  const provider = connect(url, doc);
  const synced = new Promise<void>((resolve) => {
    provider.once('sync', () => {
      resolve();
    });
  });
  const shownPage = (): string => {
    const { data } = boardViewSchema.safeParse(doc.getMap(STATE).get(VIEW));
    return data?.page ?? DEFAULT_PAGE;
  };
  const show = (page: string, region: Region): void => {
    doc.getMap(STATE).set(VIEW, { page, ...region });
  };
  return {
    doc,
    ready: () => withDeadline(synced, SYNC_TIMEOUT_MS, () => noAnswer(url)),
    ...writer(doc, shownPage),
    setView: (region) => {
      show(shownPage(), region);
    },
    turnTo(page, region) {
      doc.transact(() => {
        if (!pagesOf(doc).some(({ id }) => id === page.id)) doc.getArray(PAGES).push([page]);
        show(page.id, region);
      });
    },
    laser: pointer(provider.awareness, { name, shownPage }),
    present: () => [...provider.awareness.getStates().keys()],
    close() {
      provider.destroy();
      doc.destroy();
      return Promise.resolve();
    },
  };
}

function connect(url: string, doc: Y.Doc): WebsocketProvider {
  const { server, room, params } = splitBoardUrl(url);
  return new WebsocketProvider(server, room, doc, {
    params,
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  });
}

function pointer(
  awareness: WebsocketProvider['awareness'],
  { name, shownPage }: { readonly name: string; readonly shownPage: () => string },
): BoardClient['laser'] {
  let last = { x: 0, y: 0 };
  return (at, color = LASER_RED) => {
    last = at ?? last;
    const presence: BoardPresence = {
      ...{ user: { name, color }, page: shownPage() },
      ...{ pointer: { ...last, tool: 'laser' }, button: at === null ? 'up' : 'down' },
    };
    awareness.setLocalState(presence);
  };
}

type Writer = Pick<BoardClient, 'addText' | 'addShape' | 'beginStroke' | 'addImage' | 'clear'>;

function writer(doc: Y.Doc, shownPage: () => string): Writer {
  const onPage = (): Y.Map<unknown> => doc.getMap(elementsName(shownPage()));
  const add = (element: Shape): string => {
    const id = randomUUID();
    onPage().set(id, { ...newElement(), ...element, id });
    return id;
  };
  return {
    addText({ text, size: fontSize, color: strokeColor, font: fontFamily = 5, ...place }) {
      const lineHeight = 1.25;
      const size = estimateTextSize(text, { fontSize, lineHeight });
      const style = { fontSize, fontFamily, lineHeight, strokeColor };
      return add({ type: 'text', text, originalText: text, ...place, ...size, ...style });
    },
    addShape: add,
    beginStroke({ points, color: strokeColor, width: strokeWidth }) {
      const [x = 0, y = 0] = points;
      const shared = Y.Array.from(relative(points, { x, y }));
      const element = { ...newElement(), type: 'freedraw', x, y, strokeColor, strokeWidth };
      onPage().set(randomUUID(), new Y.Map<unknown>(Object.entries({ element, points: shared })));
      return (more) => {
        shared.push(relative(more, { x, y }));
      };
    },
    addImage(image, box) {
      const fileId = fileIdOf(doc.getMap(FILES), image);
      return add({ type: 'image', fileId, ...box });
    },
    clear() {
      doc.transact(() => {
        const pages = new Set([DEFAULT_PAGE, ...pagesOf(doc).map(({ id }) => id)]);
        for (const page of pages) doc.getMap(elementsName(page)).clear();
      });
    },
  };
}

/** A hand's wobble of its own, and its place in time. */
const newElement = (): { seed: number; updated: number } => ({
  seed: randomInt(1, 2 ** 31),
  updated: Date.now(),
});

function relative(points: Path, { x, y }: { x: number; y: number }): number[] {
  // a tenth of a unit is finer than any pixel
  return points.map((value, i) => Math.round((value - (i % 2 === 0 ? x : y)) * 10) / 10);
}

const pagesOf = (doc: Y.Doc): BoardPage[] =>
  doc
    .getArray(PAGES)
    .toArray()
    .flatMap((page) => boardPageSchema.safeParse(page).data ?? []);

function fileIdOf(files: Y.Map<unknown>, image: BoardFile): string {
  for (const [id, file] of files) {
    if ((file as Partial<BoardFile> | null)?.dataURL === image.dataURL) return id;
  }
  const id = randomUUID();
  files.set(id, boardFileSchema.parse(image));
  return id;
}

const noAnswer = (url: string): ChalkreelError =>
  new ChalkreelError(
    'whiteboard-unreachable',
    `Whiteboard: expected an answer from ${url} in ${SYNC_TIMEOUT_MS} ms, none came.`,
    { fault: 'dependency', retryable: true },
  );
