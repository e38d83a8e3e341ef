import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { READER_ROLE, splitBoardUrl, type BoardView } from '../../../src/protocol/whiteboard.ts';
import type { BoardState } from '../state.ts';
import { ExcalidrawView } from './excalidraw-view.ts';
import { readLasers } from './lasers.ts';
import { projectView, type Size } from './project-view.ts';
import { BoardScene } from './scene.ts';

const PAPER = '#fffefb';
/**
 * From a change of the board's size until it is drawn for it, ms. Until then it is shown as it was, enlarged: drawing all of it anew
 * takes longer than a slot of the recording, so it waits until all else is where it belongs.
 */
const REDRAW_AFTER_MS = 400;

export type LiveBoard = { readonly state: () => BoardState };

/** Joins a board as one who only reads, and shows it in `host`; resolves when what the server has is drawn. */
export async function joinBoard(url: string, host: HTMLElement): Promise<LiveBoard> {
  const doc = new Y.Doc();
  const provider = connect(url, doc);
  const synced = new Promise<void>((resolve) => {
    provider.once('sync', () => {
      resolve();
    });
  });
  const board = new BoardOnScreen(doc, provider, host);
  await Promise.all([synced, board.open()]);
  board.drawAnew();
  // what is written asks for its fonts when it is drawn, and is drawn again when they have come
  await twoFrames();
  await document.fonts.ready;
  await twoFrames();
  return { state: () => board.state() };
}

/** Until what was given to Excalidraw is on its canvas. */
async function twoFrames(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
}

function connect(url: string, doc: Y.Doc): WebsocketProvider {
  const { server, room, params } = splitBoardUrl(url);
  const provider = new WebsocketProvider(server, room, doc, {
    params: { ...params, [READER_ROLE.name]: READER_ROLE.value },
    disableBc: true,
    maxBackoffTime: 2000,
  });
  provider.awareness.setLocalState(null); // nobody sees us
  return provider;
}

/** Draws what changed, once a frame at most, and nothing while nothing changes. */
class BoardOnScreen {
  readonly #provider: WebsocketProvider;
  readonly #host: HTMLElement;
  readonly #scene: BoardScene;
  #view: ExcalidrawView | undefined;
  #isAsked = false;
  /** Something changed while it was not shown. */
  #isStale = false;
  /** What was drawn last, and the size for which it was. */
  #drawn: { readonly region: BoardView; readonly size: Size } | undefined;
  #redraw: number | undefined;

  constructor(doc: Y.Doc, provider: WebsocketProvider, host: HTMLElement) {
    this.#provider = provider;
    this.#host = host;
    this.#scene = new BoardScene(doc, () => {
      this.#ask();
    });
    provider.awareness.on('change', () => {
      this.#ask();
    });
    new ResizeObserver(() => {
      this.#refit();
    }).observe(host);
  }

  async open(): Promise<void> {
    this.#view = await ExcalidrawView.open(this.#host);
    this.#ask();
  }

  /** As sharp as the board is large now. */
  drawAnew(): void {
    const size = this.#size();
    if (size !== undefined) this.#draw(size);
  }

  state(): BoardState {
    const { view, elements } = this.#scene.read();
    return {
      synced: this.#provider.synced,
      view,
      elements: elements.length,
      texts: elements.flatMap((element) => (element.type === 'text' ? element.text : [])),
      skipped: this.#scene.skipped,
    };
  }

  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      const size = this.#size();
      if (size === undefined) this.#isStale = true;
      else this.#draw(this.#drawn?.size ?? size);
    });
  }

  /** Draws for a size, which need not be that of now. */
  #draw(size: Size): void {
    if (this.#view === undefined) return;
    this.#isStale = false;
    const { view, background = PAPER, elements } = this.#scene.read();
    this.#drawn = { region: view, size };
    this.#view.addFiles(this.#scene.takeNewFiles());
    this.#view.show({
      ...{ elements, background, size },
      projection: projectView(view, size),
      lasers: readLasers(this.#provider.awareness.getStates(), view.page),
    });
    this.#fit();
  }

  /** The host has another size. This is told before it is seen, so that the board is never seen in the wrong place. */
  #refit(): void {
    const size = this.#size();
    if (size === undefined) return;
    if (this.#drawn === undefined || this.#isStale) this.#ask();
    this.#fit();
    this.#redraw ??= setTimeout(() => {
      this.#redraw = undefined;
      this.drawAnew();
    }, REDRAW_AFTER_MS);
  }

  #fit(): void {
    const size = this.#size();
    if (size !== undefined && this.#drawn !== undefined)
      this.#view?.fit(projectView(this.#drawn.region, size));
  }

  /** Undefined while the board is not shown. */
  #size(): Size | undefined {
    const { clientWidth: width, clientHeight: height } = this.#host;
    return width > 0 && height > 0 ? { width, height } : undefined;
  }
}
