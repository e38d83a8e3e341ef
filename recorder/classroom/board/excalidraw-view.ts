import './own-fonts.ts';
import { wakeFrames } from './still-frames.ts';
import { Excalidraw, restoreElements } from '@excalidraw/excalidraw';
import type { FileId, FractionalIndex } from '@excalidraw/excalidraw/element/types';
import type {
  BinaryFileData,
  Collaborator,
  DataURL,
  ExcalidrawImperativeAPI,
  NormalizedZoomValue,
  SocketId,
} from '@excalidraw/excalidraw/types';
import '@excalidraw/excalidraw/index.css';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import type { BoardElement } from '../../../src/protocol/board-element.ts';
import type { BoardFile } from '../../../src/protocol/whiteboard.ts';
import './board.css';
import type { Laser } from './lasers.ts';
import type { Projection } from './project-view.ts';

export type BoardPicture = {
  readonly elements: readonly BoardElement[];
  readonly background: string;
  readonly projection: Projection;
  readonly lasers: readonly Laser[];
};

type Scene = NonNullable<Parameters<ExcalidrawImperativeAPI['updateScene']>[0]['elements']>;
type Drawn = ReturnType<typeof restoreElements>[number];

/** Excalidraw in a host element, for looking only. */
export class ExcalidrawView {
  readonly #api: ExcalidrawImperativeAPI;
  readonly #host: HTMLElement;
  /** As Excalidraw has them: it draws again only what is another object. */
  #drawn = new Map<string, { readonly of: BoardElement; readonly as: Drawn | undefined }>();
  #corner = '';

  private constructor(host: HTMLElement, api: ExcalidrawImperativeAPI) {
    this.#host = host;
    this.#api = api;
  }

  /** Resolves when it takes pictures. */
  static async open(host: HTMLElement): Promise<ExcalidrawView> {
    const api = await new Promise<ExcalidrawImperativeAPI>((resolve) => {
      createRoot(host).render(
        createElement(Excalidraw, {
          excalidrawAPI: resolve,
          ...{ viewModeEnabled: true, zenModeEnabled: true, theme: 'light' },
          ...{ autoFocus: false, detectScroll: false, handleKeyboardGlobally: false },
          ...{ aiEnabled: false, validateEmbeddable: false, renderEmbeddable: () => null },
        }),
      );
    });
    // what is shown before its own, empty beginning would be lost
    await new Promise<void>((resolve) => {
      const forget = api.onChange(() => {
        forget();
        resolve();
      });
    });
    await warmFonts();
    return new ExcalidrawView(host, api);
  }

  show({ elements, background, projection, lasers }: BoardPicture): void {
    const { scrollX, scrollY, zoom } = projection;
    if (lasers.length > 0) this.#findCorner();
    wakeFrames();
    this.#api.updateScene({
      elements: this.#restore(elements),
      appState: {
        ...{ scrollX, scrollY, viewBackgroundColor: background },
        zoom: { value: zoom as NormalizedZoomValue },
      },
      collaborators: new Map(lasers.map(asCollaborator)),
    });
  }

  addFiles(files: readonly (BoardFile & { readonly id: string })[]): void {
    const added = files.map(({ id, mimeType, dataURL }): BinaryFileData => ({
      ...{ id: id as FileId, mimeType, dataURL: dataURL as DataURL, created: 0 },
    }));
    if (added.length > 0) this.#api.addFiles(added);
  }

  /** Brought into Excalidraw's own form, each once; what is too small to be seen is left out. */
  #restore(elements: readonly BoardElement[]): Scene {
    const before = this.#drawn;
    this.#drawn = new Map();
    return elements.flatMap((element) => {
      const known = before.get(element.id);
      const drawn =
        known?.of === element ? known : { of: element, as: restore(element, known?.as?.index) };
      this.#drawn.set(element.id, drawn);
      return drawn.as ?? [];
    });
  }

  /** Lasers are drawn over the whole page, so Excalidraw has to know where on it the board is. */
  #findCorner(): void {
    const { left, top } = this.#host.getBoundingClientRect();
    const corner = `${left} ${top}`;
    if (corner !== this.#corner) this.#api.refresh();
    this.#corner = corner;
  }
}

/** So that the first word somebody writes is drawn once, in its font. Without them the board has others. */
async function warmFonts(): Promise<void> {
  const fonts = [
    document.fonts.load('16px Excalifont', 'a'),
    document.fonts.load('16px Xiaolai', '中'),
  ];
  await Promise.allSettled(fonts);
}

/** The order is ours already: indices are Excalidraw's to give, and kept, so that it has little to do. */
function restore(element: BoardElement, index: FractionalIndex | undefined): Drawn | undefined {
  const given = { ...element, index: null, ...('points' in element && sizeOf(element.points)) };
  const [restored] = restoreElements([given as never], null);
  return restored && { ...restored, index: index ?? restored.index };
}

/** Strokes and lines are as large as their points say. */
function sizeOf(points: readonly (readonly [number, number])[]): { width: number; height: number } {
  const span = (axis: 0 | 1): number => {
    let [least, most] = [Infinity, -Infinity];
    for (const point of points) {
      least = Math.min(least, point[axis]);
      most = Math.max(most, point[axis]);
    }
    return most > least ? most - least : 0;
  };
  return { width: span(0), height: span(1) };
}

function asCollaborator({ id, x, y, isDown, color }: Laser): [SocketId, Collaborator] {
  const pointer = { x, y, tool: 'laser', renderCursor: false, laserColor: color } as const;
  return [String(id) as SocketId, { pointer, button: isDown ? 'down' : 'up' }];
}
