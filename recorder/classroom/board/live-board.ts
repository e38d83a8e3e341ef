import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { READER_ROLE, splitBoardUrl } from '../../../src/protocol/whiteboard.ts';
import type { BoardState } from '../state.ts';
import { ExcalidrawView } from './excalidraw-view.ts';
import { readLasers } from './lasers.ts';
import { projectView } from './project-view.ts';
import { BoardScene } from './scene.ts';

const PAPER = '#fffefb';

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
  board.draw();
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
      this.#ask();
    }).observe(host);
  }

  async open(): Promise<void> {
    this.#view = await ExcalidrawView.open(this.#host);
    this.#ask();
  }

  draw(): void {
    this.#isAsked = false;
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (this.#view === undefined || width === 0 || height === 0) return;
    const { view, background = PAPER, elements } = this.#scene.read();
    this.#view.addFiles(this.#scene.takeNewFiles());
    this.#view.show({
      ...{ elements, background },
      projection: projectView(view, { width, height }),
      lasers: readLasers(this.#provider.awareness.getStates(), view.page),
    });
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
      this.draw();
    });
  }
}
