import type { ClassLayout } from '../../../src/model/layout.ts';
import { cut, type Box } from './box.ts';
import { gridSlots, tileHeight, type TileSlot, type TileStyle } from './tile-grid.ts';

/** What a layout has to place, and with which lengths. */
export type Room = TileStyle & {
  /** Below the header, within the margins. */
  readonly area: Box;
  readonly isPortrait: boolean;
  /** How many tiles there are. */
  readonly count: number;
  readonly hasBoard: boolean;
  readonly hasChat: boolean;
  /** A length of the drawing at 1280×720 (portrait: 720×1280), in pixels of this page. */
  readonly px: (length: number) => number;
};

/** Where things are; of the tiles, the one that leads is first where the layout has one. Null: not shown. */
export type Places = {
  readonly board: Box | null;
  readonly chat: Box | null;
  readonly slots: readonly TileSlot[];
};

/** Tiles that are shown at once, at most. */
export const MAX_TILES: Readonly<Record<ClassLayout, number>> = {
  'one-to-one': 3,
  'small-class': 6,
  'large-class': 3,
  'dual-teacher': 6,
  whiteboard: 4,
  spotlight: 6,
  gallery: 25,
};

/** Layouts in which one tile is larger than the others, or before them. */
export const HAS_LEAD: Readonly<Record<ClassLayout, boolean>> = {
  'one-to-one': true,
  'small-class': false,
  'large-class': true,
  'dual-teacher': true,
  whiteboard: true,
  spotlight: true,
  gallery: false,
};

/** The layouts: each divides the area into strips, so that nothing can overlap. */
export const TEMPLATES: Readonly<Record<ClassLayout, (room: Room) => Places>> = {
  'one-to-one': (room) => (room.isPortrait ? tilesAbove(room) : leadInColumn(room, 360)),
  'small-class': (room) => (room.hasBoard || room.isPortrait ? tilesAbove(room) : tilesAlone(room)),
  'large-class': (room) => (room.isPortrait ? leadWithAside(room) : leadInColumn(room, 381)),
  'dual-teacher': dualTeacher,
  whiteboard: (room) => (room.hasBoard ? boardWithStrip(room) : spotlight(room)),
  spotlight,
  gallery: tilesAlone,
};

/** A row of tiles (portrait: two), below it the board with the chat beside it, or below. */
function tilesAbove(room: Room): Places {
  const { area, gap, isPortrait } = room;
  const share = isPortrait ? (room.hasBoard ? 0.34 : 0.6) : 0.32;
  const [top] = cut(area, 'top', { size: area.height * share, gap });
  const grid = isPortrait
    ? { maxColumns: room.count === 3 || room.count > 4 ? 3 : 2 }
    : { maxRows: 1 };
  const slots = gridSlots(top, room.count, { ...room, ...grid });
  const [, below] = cut(area, 'top', {
    size: extent(slots, area.y),
    gap: slots.length > 0 ? gap : 0,
  });
  return { slots, ...boardAndChat(below, room) };
}

/** The board large, and a column of who leads, the others below, and the chat. Without a board who leads is large. */
function leadInColumn(room: Room, columnWidth: number): Places {
  const { area, gap, px, hasBoard, count } = room;
  if (count === 0) return { slots: [], ...boardAndChat(area, room) };
  if (!hasBoard) return leadLarge(room, columnWidth);
  const [column, main] = cut(area, 'right', {
    size: Math.max(px(columnWidth), room.minWidth),
    gap,
  });
  const lead = gridSlots(column, 1, room);
  const [, below] = cut(column, 'top', { size: extent(lead, column.y), gap });
  // two beside each other; one alone is as large as who leads
  const others = gridSlots(below, count - lead.length, { ...room, maxColumns: 2, maxRows: 1 });
  const [, rest] = cut(column, 'top', { size: extent([...lead, ...others], column.y), gap });
  return { slots: [...lead, ...others], board: main, chat: room.hasChat ? rest : null };
}

/** Who leads as large as the area allows, a column of the others and the chat beside. */
function leadLarge(room: Room, columnWidth: number): Places {
  const { area, gap, px, count, hasChat } = room;
  const isAlone = count === 1 && !hasChat;
  const [column, main] = isAlone
    ? [null, area]
    : cut(area, 'right', { size: Math.max(px(columnWidth), room.minWidth), gap });
  const lead = gridSlots(main, 1, { ...room, align: 'middle' });
  if (column === null || lead.length === 0) return { slots: lead, board: null, chat: column };
  const [upper] = cut(column, 'top', { size: column.height * (hasChat ? 0.6 : 1), gap });
  const others = gridSlots(upper, count - 1, { ...room, maxColumns: 2 });
  const used = extent(others, column.y);
  const [, rest] = cut(column, 'top', { size: used, gap: used > 0 ? gap : 0 });
  return { slots: [...lead, ...others], board: null, chat: hasChat ? rest : null };
}

/** Portrait: who leads with two others at the side, then board and chat. */
function leadWithAside(room: Room): Places {
  const { area, gap, count } = room;
  // as high as two at its side
  const share = count > 1 ? 0.7 : 1;
  const wide = Math.floor((area.width - gap) * share);
  const [top] = cut(area, 'top', {
    size: Math.min(area.height * 0.4, tileHeight(wide, room)),
    gap,
  });
  const [left, side] = cut(top, 'left', { size: wide, gap });
  const lead = gridSlots(left, Math.min(1, count), room);
  const others = gridSlots(side, count - lead.length, { ...room, maxColumns: 1 });
  const slots = [...lead, ...others];
  const used = extent(slots, area.y);
  const [, below] = cut(area, 'top', { size: used, gap: used > 0 ? gap : 0 });
  return { slots, ...boardAndChat(below, room) };
}

/** Of the height beside the lecturer, at most this much is for who is in the room. */
const SECOND_SHARE = 0.6;

/** The lecturer on the big screen, who is in the room with the students beside, the board below that one, students below the lecturer. */
function dualTeacher(room: Room): Places {
  const { area, gap, isPortrait, count } = room;
  if (count === 0) return { slots: [], ...boardAndChat(area, room) };
  if (isPortrait) return leadOverSecond(room);
  const wide = widestLead(room, { below: count - 2, share: 0.64 });
  const [left, right] = cut(area, 'left', { size: wide, gap });
  const lead = gridSlots(left, 1, room);
  const [, below] = cut(left, 'top', { size: extent(lead, area.y), gap });
  // on a wide page the second would be as large as to leave nothing for the board
  const [upper] = cut(right, 'top', { size: right.height * SECOND_SHARE, gap });
  const second = gridSlots(upper, Math.min(1, count - lead.length), room);
  const usedRight = extent(second, area.y);
  const [, rest] = cut(right, 'top', { size: usedRight, gap: usedRight > 0 ? gap : 0 });
  const strip = studentsAndChat(below, count - lead.length - second.length, room);
  const slots = [...lead, ...second, ...strip.slots];
  if (room.hasBoard) return { slots, board: rest, chat: strip.chat };
  return { slots, board: null, chat: room.hasChat ? rest : null };
}

/** A row of tiles, and the chat in what they leave of it. */
function studentsAndChat(
  area: Box,
  count: number,
  room: Room,
): { readonly slots: readonly TileSlot[]; readonly chat: Box | null } {
  const { gap, px, hasBoard, hasChat } = room;
  const row = { ...room, maxRows: 1 };
  const slots = gridSlots(area, count, row);
  // without a board the chat has a place of its own
  if (!hasChat || !hasBoard) return { slots, chat: null };
  if (slots.length === 0) return { slots, chat: area };
  const used = slots.reduce((sum, { box }) => sum + box.width + gap, -gap);
  if (area.width - used - gap < px(220)) return { slots, chat: null };
  const [left, chat] = cut(area, 'left', { size: used, gap });
  return { slots: gridSlots(left, slots.length, row), chat };
}

/** The board as large as it can be, a strip of tiles beside it, or below. */
function boardWithStrip(room: Room): Places {
  const { area, gap, px, isPortrait, count } = room;
  const edge = isPortrait ? 'bottom' : 'right';
  const least = isPortrait ? tileHeight(room.minWidth, room) : room.minWidth;
  const [strip] = cut(area, edge, { size: Math.max(px(isPortrait ? 150 : 220), least), gap });
  const slots = gridSlots(strip, count, {
    ...room,
    ...(isPortrait ? { maxRows: 1 } : { maxColumns: 1 }),
  });
  if (slots.length === 0) return { slots, board: area, chat: null };
  const [, main] = cut(area, edge, { size: isPortrait ? strip.height : strip.width, gap });
  if (!isPortrait || !room.hasChat) return { slots, board: main, chat: null };
  // a board much higher than wide shows nothing more
  const [board, chat] = cut(main, 'top', {
    size: Math.min(main.height * 0.75, main.width * 1.2),
    gap,
  });
  return { slots, board, chat };
}

/** One large, the others in a strip below; board and chat beside. */
function spotlight(room: Room): Places {
  const { area, gap, isPortrait, count, hasBoard, hasChat } = room;
  if (count === 0) return { slots: [], ...boardAndChat(area, room) };
  if (isPortrait) return leadOverStrip(room);
  const hasSide = hasBoard || hasChat;
  const wide = widestLead(room, { below: count - 1, share: hasSide ? 0.66 : 1 });
  const [left, right] = hasSide ? cut(area, 'left', { size: wide, gap }) : [area, null];
  const [upper] = cut(left, 'top', { size: tileHeight(wide, room), gap });
  const lead = gridSlots(upper, 1, room);
  const [, below] = cut(left, 'top', { size: extent(lead, area.y), gap });
  const others = gridSlots(below, count - lead.length, { ...room, maxRows: 1 });
  const slots = [...lead, ...others];
  return right === null ? { slots, board: null, chat: null } : { slots, ...stacked(right, room) };
}

/** How wide who leads may be with the others in a row below, of an area as high as it is; of its width at most `share`. */
function widestLead(
  room: Room,
  { below, share }: { readonly below: number; readonly share: number },
): number {
  const { area, gap } = room;
  const heightWith = (wide: number): number => {
    if (below <= 0) return tileHeight(wide, room);
    const one = Math.min(wide * 0.32, (wide - (below - 1) * gap) / below);
    return tileHeight(wide, room) + gap + tileHeight(Math.max(room.minWidth, one), room);
  };
  let wide = Math.floor(area.width * share);
  while (wide > room.minWidth && heightWith(wide) > area.height) wide -= 1;
  return wide;
}

/** Portrait: one as wide as the page, the others in a strip, then board and chat. */
function leadOverStrip(room: Room): Places {
  const { area, gap, px, count } = room;
  const [top, later] = cut(area, 'top', {
    size: Math.min(area.height * 0.45, tileHeight(area.width, room)),
    gap,
  });
  const lead = gridSlots(top, 1, room);
  const stripHeight = Math.max(px(170), tileHeight(room.minWidth, room));
  const [strip] = cut(later, 'top', { size: stripHeight, gap });
  const others = gridSlots(strip, count - lead.length, { ...room, maxRows: 1 });
  const slots = [...lead, ...others];
  const used = extent(slots, area.y);
  const [, below] = cut(area, 'top', { size: used, gap: used > 0 ? gap : 0 });
  return { slots, ...boardAndChat(below, room) };
}

/** Portrait: one as wide as the page, below it the second with the others beside, then board and chat. */
function leadOverSecond(room: Room): Places {
  const { area, gap, count } = room;
  const [top, later] = cut(area, 'top', {
    size: Math.min(area.height * 0.4, tileHeight(area.width, room)),
    gap,
  });
  const lead = gridSlots(top, 1, room);
  const wide = Math.floor((area.width - gap) * 0.46);
  // on a page hardly higher than wide the board needs its part as well
  const high = Math.min(area.height * 0.25, tileHeight(wide, room));
  const [row] = cut(later, 'top', { size: high, gap });
  const [left, right] = count > 2 ? cut(row, 'left', { size: wide, gap }) : [row, null];
  const second = gridSlots(left, Math.min(1, count - lead.length), room);
  const others =
    right === null ? [] : gridSlots(right, count - 2, { ...room, maxColumns: 2, align: 'middle' });
  const slots = [...lead, ...second, ...others];
  const used = extent(slots, area.y);
  const [, below] = cut(area, 'top', { size: used, gap: used > 0 ? gap : 0 });
  return { slots, ...boardAndChat(below, room) };
}

/** Nothing but tiles, and the chat at the side. */
function tilesAlone(room: Room): Places {
  const { area, gap, px, isPortrait, count, hasChat } = room;
  if (count === 0) return { slots: [], ...boardAndChat(area, room) };
  const [chat, main] = !hasChat
    ? [null, area]
    : isPortrait
      ? cut(area, 'bottom', { size: area.height * 0.24, gap })
      : cut(area, 'right', { size: px(300), gap });
  return { slots: gridSlots(main, count, { ...room, align: 'middle' }), board: null, chat };
}

/** Board and chat in what the tiles have left: beside each other, in portrait one below the other. */
function boardAndChat(area: Box, room: Room): Pick<Places, 'board' | 'chat'> {
  if (room.isPortrait) return stacked(area, room);
  if (!room.hasBoard || !room.hasChat) return stacked(area, room);
  const [chat, board] = cut(area, 'right', { size: room.px(381), gap: room.gap });
  return { board, chat };
}

function stacked(
  area: Box,
  { hasBoard, hasChat, gap, isPortrait }: Room,
): Pick<Places, 'board' | 'chat'> {
  if (!hasBoard || !hasChat) return { board: hasBoard ? area : null, chat: hasChat ? area : null };
  const [board, chat] = cut(area, 'top', { size: area.height * (isPortrait ? 0.6 : 0.5), gap });
  return { board, chat };
}

/** How far down from `top` tiles reach. */
function extent(slots: readonly TileSlot[], top: number): number {
  return Math.max(0, ...slots.map(({ box }) => box.y + box.height - top));
}
