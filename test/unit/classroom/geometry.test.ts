import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overlaps, type Box } from '../../../recorder/classroom/layout/box.ts';
import {
  MIN_PANEL,
  MIN_TILE_WIDTH,
  planGeometry,
  type Geometry,
  type LayoutInput,
} from '../../../recorder/classroom/layout/geometry.ts';
import { MAX_TILES } from '../../../recorder/classroom/layout/templates.ts';
import { CLASS_LAYOUTS, CLASS_VIEWS } from '../../../src/model/layout.ts';
import { classOf, GEOMETRY_TABLE } from './geometry-table.ts';

/** One line of letters. */
const MIN_CAPTION_HEIGHT = 22;
const plan = (change: Partial<LayoutInput> = {}): Geometry =>
  planGeometry({
    ...{ layout: 'small-class', view: 'audience', focus: null, spotlight: null, page: 1 },
    ...{ width: 1280, height: 720, hasBoard: true, hasChat: true },
    ...{ tiles: classOf(4), ...change },
  });

const show = (box: Box | null): string =>
  box === null ? '-' : `${box.x},${box.y} ${box.width}x${box.height}`;
const describeBoxes = ({ board, chat, tiles }: Geometry): readonly string[] => [
  `board ${show(board)}`,
  `chat ${show(chat)}`,
  ...tiles.map(({ name, picture }) => `${name} ${show(picture)}`),
];

describe('where things are', () => {
  it.each(GEOMETRY_TABLE)('%s', (_, change, expected) => {
    expect(describeBoxes(plan(change))).toEqual(expected);
  });

  it('turns the gallery’s pages, and stays on the last', () => {
    const gallery = { layout: 'gallery', tiles: classOf(30), width: 960, height: 540 } as const;
    const first = plan(gallery);
    const perPage = first.tiles.length;
    expect(first).toMatchObject({ page: 1, pages: Math.ceil(30 / perPage) });
    const last = plan({ ...gallery, page: 99 });
    expect(last.page).toBe(first.pages);
    const pages = Array.from({ length: first.pages }, (__, i) => plan({ ...gallery, page: i + 1 }));
    const seen = pages.flatMap(({ tiles }) => tiles.map(({ name }) => name));
    expect(new Set(seen).size).toBe(30);
    expect(seen).toHaveLength(30);
  });

  it('shows 25 on one page of the gallery at 720p', () => {
    expect(plan({ layout: 'gallery', tiles: classOf(26) })).toMatchObject({ pages: 2 });
    expect(plan({ layout: 'gallery', tiles: classOf(25) }).tiles).toHaveLength(25);
  });

  it('puts whoever is asked for into the large place', () => {
    for (const layout of ['one-to-one', 'large-class', 'dual-teacher', 'spotlight'] as const) {
      const { tiles } = plan({ layout, focus: 'p3' });
      const [lead, ...others] = tiles;
      expect(lead).toMatchObject({ name: 'n3', isLead: true });
      for (const { box } of others) expect(box.width).toBeLessThanOrEqual(lead!.box.width);
    }
  });

  it('has the teacher last, and a student in the large place, as the teacher sees the class', () => {
    const { tiles } = plan({ layout: 'spotlight', view: 'teacher' });
    expect(tiles.map(({ name }) => name)).toEqual(['n1', 'n2', 'n3', 'n0']);
  });
});

const size = fc.oneof(
  fc.constantFrom([1280, 720], [720, 1280], [1920, 1080], [640, 360], [360, 640], [1080, 1080]),
  fc.tuple(fc.integer({ min: 64, max: 1920 }), fc.integer({ min: 64, max: 1920 })),
);
const tile = fc.record({
  role: fc.constantFrom('teacher', 'tutor', 'student', 'screen'),
  isShown: fc.boolean(),
  spokeMs: fc.oneof(fc.constant(Number.NEGATIVE_INFINITY), fc.integer({ min: 0, max: 9 })),
});
const anyInput: fc.Arbitrary<LayoutInput> = fc
  .record({
    layout: fc.constantFrom(...CLASS_LAYOUTS),
    view: fc.constantFrom(...CLASS_VIEWS),
    focus: fc.option(fc.integer({ min: 0, max: 40 }).map((i) => `p${i}`)),
    spotlight: fc.option(fc.integer({ min: 0, max: 40 }).map((i) => `p${i}`)),
    page: fc.integer({ min: 1, max: 9 }),
    size,
    hasBoard: fc.boolean(),
    hasChat: fc.boolean(),
    tiles: fc.array(tile, { maxLength: 40 }),
  })
  .map(({ size: [width = 0, height = 0], tiles, ...rest }) => ({
    ...{ ...rest, width, height },
    tiles: tiles.map((one, i) => ({ ...one, name: `n${i}`, participantId: `p${i}` })),
  }));

const partsOf = ({ header, board, chat, tiles }: Geometry): Box[] => [
  header,
  ...[board, chat].filter((box) => box !== null),
  ...tiles.map(({ box }) => box),
];

describe('any class at any size', () => {
  const holds = (property: (input: LayoutInput, geometry: Geometry) => void): void => {
    fc.assert(
      fc.property(anyInput, (input) => property(input, planGeometry(input))),
      { numRuns: 250 },
    );
  };

  it('is laid out in whole pixels within the page, without overlap', () => {
    holds(({ width, height }, geometry) => {
      const parts = partsOf(geometry);
      const isWrong = (part: Box, i: number): boolean =>
        [part.x, part.y, part.width, part.height].some((n) => !Number.isInteger(n) || n < 0) ||
        part.x + part.width > width ||
        part.y + part.height > height ||
        parts.slice(i + 1).some((other) => overlaps(part, other));
      expect(parts.filter(isWrong)).toEqual([]);
    });
  });

  it('is legible: tiles, board and chat have their least size, or are left out', () => {
    holds((_, { tiles, board, chat }) => {
      const isTile = ({ box, picture }: (typeof tiles)[number]): boolean =>
        box.width >= MIN_TILE_WIDTH &&
        picture.height === Math.round((box.width * 9) / 16) &&
        picture.x === box.x &&
        picture.y === box.y &&
        picture.width === box.width &&
        box.height - picture.height >= MIN_CAPTION_HEIGHT;
      expect(tiles.filter((one) => !isTile(one))).toEqual([]);
      const small = [board, chat].filter(
        (box) => box !== null && (box.width < MIN_PANEL.width || box.height < MIN_PANEL.height),
      );
      expect(small).toEqual([]);
    });
  });

  it('is the same each time, and does not move because it is shown', () => {
    holds((input, geometry) => {
      const shown = new Set(geometry.tiles.map(({ name }) => name));
      const tiles = input.tiles.map((one) => ({ ...one, isShown: shown.has(one.name) }));
      expect(planGeometry({ ...input, tiles }).tiles.map(({ name }) => name)).toEqual([...shown]);
    });
  });

  it('shows each tile once, no more than the layout has, and somebody where there is room', () => {
    holds(({ width, height, layout, tiles }, geometry) => {
      const names = geometry.tiles.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(names.length).toBeLessThanOrEqual(MAX_TILES[layout]);
      const isRoomy = Math.min(width, height) >= 360;
      if (isRoomy && tiles.length > 0) expect(names.length).toBeGreaterThan(0);
    });
  });

  it('shows the board where the class has one and the layout too', () => {
    holds(({ width, height, hasBoard, layout }, { board }) => {
      if (!hasBoard || layout === 'gallery') return;
      if (Math.min(width, height) >= 540) expect(board).not.toBeNull();
    });
  });
});
