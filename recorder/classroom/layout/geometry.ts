import type { ClassLayout, ClassView } from '../../../src/model/layout.ts';
import { cut, type Box } from './box.ts';
import { HAS_LEAD, MAX_TILES, TEMPLATES, type Places, type Room } from './templates.ts';
import type { TileSlot } from './tile-grid.ts';
import { chooseShown, displayOrder, findLead, type Attention, type LayoutTile } from './who.ts';

/** All that decides where things are on the classroom page. */
export type LayoutInput = Attention & {
  /** The page's size, CSS pixels; higher than wide is portrait. */
  readonly width: number;
  readonly height: number;
  readonly tiles: readonly LayoutTile[];
  /** Of the gallery, from 1; one beyond the last is the last. */
  readonly page: number;
  readonly hasBoard: boolean;
  readonly hasChat: boolean;
};

/** Where a tile is, its picture within it, and whether it is the one that leads. */
export type PlacedTile = Pick<LayoutTile, 'name' | 'participantId' | 'role'> &
  TileSlot & { readonly isLead: boolean };

/** Where everything is. Null, or not in `tiles`: not shown. */
export type Geometry = {
  readonly layout: ClassLayout;
  readonly view: ClassView;
  readonly width: number;
  readonly height: number;
  /** Lengths and letters are drawn for 1280×720 (portrait: 720×1280), and grow by this. */
  readonly scale: number;
  readonly header: Box;
  readonly board: Box | null;
  readonly chat: Box | null;
  readonly tiles: readonly PlacedTile[];
  readonly page: number;
  readonly pages: number;
};

/** A narrower tile's name could not be read, CSS pixels. */
export const MIN_TILE_WIDTH = 112;
/** A smaller board or chat is left out, CSS pixels. */
export const MIN_PANEL = { width: 150, height: 80 } as const;

/** The drawing is for these sizes. */
const LANDSCAPE = { width: 1280, height: 720 };
const PORTRAIT = { width: 720, height: 1280 };
const SCALE = { least: 0.5, most: 3 };
/** Lengths of the drawing, pixels, and the least they may shrink to. */
const HEADER = { length: 52, least: 32 };
const CAPTION = { length: 31, least: 22 };
const MARGIN = 14;
const GAP = 12;

/**
 * Where everything is on the classroom page: the one place that decides it. Equal inputs give equal outputs; nothing overlaps, all is
 * within the page, and what would be too small to be legible is left out.
 */
export function planGeometry(input: LayoutInput): Geometry {
  const { layout, view, width, height } = input;
  const isPortrait = height > width;
  const drawn = isPortrait ? PORTRAIT : LANDSCAPE;
  const fit = Math.min(width / drawn.width, height / drawn.height);
  const scale = Math.min(SCALE.most, Math.max(SCALE.least, fit));
  const px = (length: number): number => Math.round(length * scale);
  const headerHeight = Math.min(height, Math.max(HEADER.least, px(HEADER.length)));
  const gap = px(GAP);
  const area = inner({ x: 0, y: 0, width, height }, { top: headerHeight + gap, side: px(MARGIN) });
  const frame = {
    ...{ area, gap, px, isPortrait },
    captionHeight: Math.max(CAPTION.least, px(CAPTION.length)),
    minWidth: MIN_TILE_WIDTH,
    hasBoard: input.hasBoard,
    hasChat: input.hasChat,
  };
  const { places, tiles, page, pages } =
    layout === 'gallery' ? planPage(input, frame) : planStage(input, frame);
  return {
    ...{ layout, view, width, height, scale },
    header: { x: 0, y: 0, width, height: headerHeight },
    board: legible(places.board),
    chat: legible(places.chat),
    ...{ tiles, page, pages },
  };
}

type Frame = Omit<Room, 'count'>;
type Plan = {
  readonly places: Places;
  readonly tiles: readonly PlacedTile[];
  readonly page: number;
  readonly pages: number;
};

/** As many tiles as the layout has room for, those that matter most. */
function planStage(input: LayoutInput, frame: Frame): Plan {
  const { layout, tiles } = input;
  const places = TEMPLATES[layout]({ ...frame, count: Math.min(tiles.length, MAX_TILES[layout]) });
  const lead = findLead(tiles, input);
  const chosen = chooseShown(tiles, places.slots.length, { lead, attention: input });
  const inOrder = HAS_LEAD[layout]
    ? [...chosen].sort((a, b) => +(b === lead) - +(a === lead))
    : chosen;
  return { places, tiles: place(inOrder, places.slots, lead), page: 1, pages: 1 };
}

/** All tiles, page after page. */
function planPage(input: LayoutInput, frame: Frame): Plan {
  const { layout, tiles, view } = input;
  const limit = Math.min(tiles.length, MAX_TILES[layout]);
  const perPage = Math.max(1, TEMPLATES[layout]({ ...frame, count: limit }).slots.length);
  const pages = Math.max(1, Math.ceil(tiles.length / perPage));
  const page = Math.min(pages, Math.max(1, input.page));
  const onPage = displayOrder(tiles, view).slice((page - 1) * perPage, page * perPage);
  const places = TEMPLATES[layout]({ ...frame, count: onPage.length });
  return { places, tiles: place(onPage, places.slots, findLead(tiles, input)), page, pages };
}

function place(
  tiles: readonly LayoutTile[],
  slots: readonly TileSlot[],
  lead: LayoutTile | undefined,
): PlacedTile[] {
  return slots.flatMap((slot, i) => {
    const tile = tiles[i];
    if (tile === undefined) return [];
    const { name, participantId, role } = tile;
    return [{ name, participantId, role, ...slot, isLead: tile === lead }];
  });
}

function inner(page: Box, { top, side }: { readonly top: number; readonly side: number }): Box {
  const [, below] = cut(page, 'top', { size: top, gap: 0 });
  const [, left] = cut(below, 'left', { size: side, gap: 0 });
  const [, right] = cut(left, 'right', { size: side, gap: 0 });
  return cut(right, 'bottom', { size: side, gap: 0 })[1];
}

function legible(box: Box | null): Box | null {
  if (box === null) return null;
  return box.width >= MIN_PANEL.width && box.height >= MIN_PANEL.height ? box : null;
}
