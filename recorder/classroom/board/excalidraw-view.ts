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
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import type { BoardElement } from '../../../src/protocol/board-element.ts';
import type { BoardFile } from '../../../src/protocol/whiteboard.ts';
import { element } from '../dom.ts';
import './board.css';
import type { Laser } from './lasers.ts';
import { planRefit, type Projection, type Size } from './project-view.ts';

export type BoardPicture = {
  readonly elements: readonly BoardElement[];
  readonly background: string;
  /** For which it is drawn, whole CSS pixels. */
  readonly size: Size;
  readonly projection: Projection;
  readonly lasers: readonly Laser[];
};

type Scene = NonNullable<Parameters<ExcalidrawImperativeAPI['updateScene']>[0]['elements']>;
type Drawn = ReturnType<typeof restoreElements>[number];

/** Excalidraw in a host element, for looking only. */
export class ExcalidrawView {
  readonly #api: ExcalidrawImperativeAPI;
  readonly #host: HTMLElement;
  readonly #sheet: HTMLElement;
  /** As Excalidraw has them: it draws again only what is another object. */
  #drawn = new Map<string, { readonly of: BoardElement; readonly as: Drawn | undefined }>();
  #drawnAt: Projection = { scrollX: 0, scrollY: 0, zoom: 1 };
  #drawnFor: Size = { width: 0, height: 0 };
  /** Where on the page the sheet was when it got its size. */
  #corner = { offsetLeft: 0, offsetTop: 0 };
  #hadLasers = false;

  private constructor(sheet: HTMLElement, host: HTMLElement, api: ExcalidrawImperativeAPI) {
    this.#sheet = sheet;
    this.#host = host;
    this.#api = api;
  }

  /** Resolves when it takes pictures. */
  static async open(host: HTMLElement): Promise<ExcalidrawView> {
    const sheet = element('div', 'board-sheet');
    host.append(sheet);
    const api = await new Promise<ExcalidrawImperativeAPI>((resolve) => {
      createRoot(sheet).render(
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
    return new ExcalidrawView(sheet, host, api);
  }

  /** Draws at once: it is on the canvas when this returns. */
  show({ elements, background, size, projection, lasers }: BoardPicture): void {
    this.#cut(size);
    if (lasers.length > 0 || this.#hadLasers) wakeFrames();
    this.#hadLasers = lasers.length > 0;
    const { scrollX, scrollY, zoom } = projection;
    // size, place and zoom together, or Excalidraw would draw once for each
    flushSync(() => {
      this.#api.updateScene({
        elements: this.#restore(elements),
        appState: {
          ...{ scrollX, scrollY, viewBackgroundColor: background, ...size, ...this.#corner },
          zoom: { value: zoom as NormalizedZoomValue },
        },
        collaborators: new Map(lasers.map(asCollaborator)),
      });
    });
    this.#host.style.background = background;
    this.#sheet.style.setProperty('--sheet-zoom', String(zoom));
    this.#drawnAt = projection;
    this.fit(projection);
  }

  /** Lays what is drawn where this projection would draw it, without drawing it anew: as sharp as it was, for a moment. */
  fit(projection: Projection): void {
    const { x, y, scale } = planRefit(this.#drawnAt, projection);
    this.#sheet.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
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

  /** Gives the sheet its size; Excalidraw has to know where on the page that is. */
  #cut(size: Size): void {
    if (size.width === this.#drawnFor.width && size.height === this.#drawnFor.height) return;
    this.#drawnFor = size;
    const { left, top } = this.#host.getBoundingClientRect();
    this.#corner = { offsetLeft: left, offsetTop: top };
    const { style } = this.#sheet;
    style.width = `${size.width}px`;
    style.height = `${size.height}px`;
    // Excalidraw gives its canvas the size only after it has looked which frames are within it
    const canvas = this.#sheet.querySelector<HTMLCanvasElement>('canvas.static');
    if (canvas !== null) {
      canvas.width = size.width * devicePixelRatio;
      canvas.height = size.height * devicePixelRatio;
    }
    style.setProperty('--sheet-left', String(left));
    style.setProperty('--sheet-top', String(top));
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
