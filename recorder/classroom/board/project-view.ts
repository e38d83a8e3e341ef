import type { BoardView } from '../../../src/protocol/whiteboard.ts';

export type Size = { readonly width: number; readonly height: number };
/** Where Excalidraw is scrolled to, board units, and how large a board unit is, CSS pixels. */
export type Projection = {
  readonly scrollX: number;
  readonly scrollY: number;
  readonly zoom: number;
};

/** Excalidraw's own limits. */
const MIN_ZOOM = 0.1;
const MAX_ZOOM = 30;

/** Shows the whole region, as large as it may be and in the middle of `size` (CSS pixels). */
export function projectView(region: Omit<BoardView, 'page'>, size: Size): Projection {
  const fit = Math.min(size.width / region.width, size.height / region.height);
  const zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, fit));
  return {
    scrollX: (size.width / zoom - region.width) / 2 - region.x,
    scrollY: (size.height / zoom - region.height) / 2 - region.y,
    zoom,
  };
}

/** What lays a drawing elsewhere: `translate(x, y) scale(scale)` from its upper left corner, CSS pixels. */
type Refit = { readonly x: number; readonly y: number; readonly scale: number };

/** Lays what was drawn in one projection where another would draw it. */
export function planRefit(drawn: Projection, wanted: Projection): Refit {
  return {
    x: (wanted.scrollX - drawn.scrollX) * wanted.zoom,
    y: (wanted.scrollY - drawn.scrollY) * wanted.zoom,
    scale: wanted.zoom / drawn.zoom,
  };
}
