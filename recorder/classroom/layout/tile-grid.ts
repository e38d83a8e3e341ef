import type { Box } from './box.ts';

/** Shape of every tile's picture; another camera's shape is fitted into it, never stretched. */
export const PICTURE_ASPECT = { width: 16, height: 9 } as const;

/** A tile's place, and within it that of its picture; the caption with name and marks is what is left below. */
export type TileSlot = { readonly box: Box; readonly picture: Box };

/** Lengths that all tiles of a page share, pixels. */
export type TileStyle = {
  readonly gap: number;
  readonly captionHeight: number;
  /** A narrower tile would not be legible. */
  readonly minWidth: number;
};

type GridOptions = TileStyle & {
  readonly maxColumns?: number | undefined;
  readonly maxRows?: number | undefined;
  /** Where the tiles stand when they need less than the area's height. */
  readonly align?: 'top' | 'middle';
};

/** As many of `count` tiles of one size as are legible in the area, as large as they can be, row by row, each row in the middle. */
export function gridSlots(area: Box, count: number, options: GridOptions): readonly TileSlot[] {
  for (let fits = count; fits > 0; fits--) {
    const grid = bestGrid(area, fits, options);
    if (grid.width >= options.minWidth) return placeGrid(area, fits, { ...options, ...grid });
  }
  return [];
}

/** Height of a tile of this width. */
export function tileHeight(width: number, { captionHeight }: TileStyle): number {
  return pictureHeight(width) + captionHeight;
}

/** Width of the widest tile that is at most so high. */
function tileWidth(height: number, { captionHeight }: TileStyle): number {
  const { width, height: tall } = PICTURE_ASPECT;
  return Math.max(0, Math.floor(((height - captionHeight) * width) / tall));
}

type Grid = { readonly columns: number; readonly width: number };

/** Rows rather than columns, where that costs no more of a tile's width. */
const ROWS_WORTH = 0.95;

/** The columns with which tiles are widest, or nearly so: then the most. */
function bestGrid(area: Box, count: number, options: GridOptions): Grid {
  const { gap, maxColumns = count, maxRows = count } = options;
  let best: Grid = { columns: 1, width: 0 };
  for (let columns = 1; columns <= Math.min(count, maxColumns); columns++) {
    const rows = Math.ceil(count / columns);
    if (rows > maxRows) continue;
    const across = Math.floor((area.width - (columns - 1) * gap) / columns);
    const down = Math.floor((area.height - (rows - 1) * gap) / rows);
    const width = Math.min(across, tileWidth(down, options));
    if (width >= best.width * ROWS_WORTH) best = { columns, width };
  }
  return best;
}

function placeGrid(area: Box, count: number, options: GridOptions & Grid): readonly TileSlot[] {
  const { gap, columns, width, align = 'top' } = options;
  const height = tileHeight(width, options);
  const rows = Math.ceil(count / columns);
  const used = rows * height + (rows - 1) * gap;
  const top = area.y + (align === 'top' ? 0 : Math.floor((area.height - used) / 2));
  return Array.from({ length: count }, (_, i) => {
    const row = Math.floor(i / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = Math.floor((area.width - inRow * width - (inRow - 1) * gap) / 2);
    const x = area.x + left + (i - row * columns) * (width + gap);
    const y = top + row * (height + gap);
    return {
      box: { x, y, width, height },
      picture: { x, y, width, height: pictureHeight(width) },
    };
  });
}

function pictureHeight(width: number): number {
  return Math.round((width * PICTURE_ASPECT.height) / PICTURE_ASPECT.width);
}
