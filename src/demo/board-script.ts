import type { BoardFile, BoardPage } from '../protocol/whiteboard.ts';
import { BOARD_HEIGHT, BOARD_WIDTH } from '../protocol/whiteboard.ts';
import type { Region, Shape, WrittenText } from './drawing.ts';
import { arc, polygon, star, underline, type Path } from './paths.ts';
import { TILE_PICTURE_SIZE, tilePicture } from './tile-picture.ts';

/** One thing somebody does at the whiteboard. */
export type BoardAction =
  | { readonly do: 'write'; readonly text: WrittenText }
  | { readonly do: 'shape'; readonly shape: Shape }
  | { readonly do: 'image'; readonly image: BoardFile; readonly box: Region }
  | {
      readonly do: 'draw';
      readonly path: Path;
      readonly color: string;
      readonly width: number;
      readonly overMs: number;
    }
  | { readonly do: 'page'; readonly page: BoardPage; readonly region: Region }
  | { readonly do: 'glide'; readonly from: Region; readonly to: Region; readonly overMs: number }
  | { readonly do: 'laser'; readonly path: Path; readonly overMs: number }
  | { readonly do: 'clear' };

type BoardCue = {
  readonly atMs: number;
  readonly who: 0 | 1 | 2 | 3;
  readonly action: BoardAction;
};

const INK = {
  red: '#c0392b',
  blue: '#2563ac',
  green: '#2f7d4f',
  purple: '#7d4fa3',
  ink: '#24313f',
  orange: '#d18b12',
};
const WASH = { red: '#ffc9c9', blue: '#a5d8ff', green: '#b2f2bb', yellow: '#ffec99' };

const WHOLE: Region = { x: 0, y: 0, width: BOARD_WIDTH, height: BOARD_HEIGHT };
const PROOF: BoardPage = { id: '1', title: '勾股定理' };
const CONVERSE: BoardPage = { id: '2', title: '逆定理' };
/** Of the second page: the triangle, large. */
const TRIANGLE: Region = { x: 60, y: 190, width: 1000, height: 500 };

const at = (seconds: number, who: BoardCue['who'], action: BoardAction): BoardCue => ({
  atMs: Math.round(seconds * 1000),
  who,
  action,
});
const write = (
  place: readonly [number, number],
  text: string,
  style: [number, string],
): BoardAction => ({
  do: 'write',
  text: { x: place[0], y: place[1], text, size: style[0], color: style[1] },
});
const draw = (path: Path, color: string, overMs: number, width = 2): BoardAction => ({
  do: 'draw',
  ...{ path, color, width, overMs },
});
const shape = (drawn: Shape): BoardAction => ({ do: 'shape', shape: drawn });
type Wash = Pick<Shape, 'strokeColor' | 'backgroundColor' | 'fillStyle' | 'strokeWidth'>;
/** Hatched by hand. */
const washed = (strokeColor: string, backgroundColor: string): Wash => ({
  ...{ strokeColor, backgroundColor, fillStyle: 'hachure', strokeWidth: 4 },
});

/** The square over the longest side. */
const SQUARE_C = [
  [480, 360],
  [660, 120],
  [900, 300],
  [720, 540],
  [480, 360],
] as const;

/** What is drawn in the minute of the lesson. The left of the first page, from 200 to 500, stays free for guests. */
export const BOARD_CUES: readonly BoardCue[] = [
  at(0, 0, { do: 'clear' }),
  at(0, 0, { do: 'page', page: PROOF, region: WHOLE }),
  at(0.4, 0, write([72, 44], '勾股定理 📐', [72, INK.ink])),
  at(1.2, 0, draw(polygon([480, 360], [480, 540], [720, 540], [480, 360]), INK.ink, 1800)),
  at(3.2, 0, draw(polygon([480, 510], [510, 510], [510, 540]), INK.ink, 400, 1)),
  at(
    4.2,
    0,
    shape({
      type: 'rectangle',
      x: 300,
      y: 360,
      width: 180,
      height: 180,
      ...washed(INK.blue, WASH.blue),
    }),
  ),
  at(
    5.6,
    0,
    shape({
      type: 'rectangle',
      x: 480,
      y: 540,
      width: 240,
      height: 240,
      ...washed(INK.green, WASH.green),
    }),
  ),
  at(6.6, 0, draw(polygon(...SQUARE_C), INK.red, 1900)),
  at(8.6, 0, write([362, 414], 'a²', [64, INK.blue])),
  at(9, 0, write([566, 620], 'b²', [64, INK.green])),
  at(9.4, 0, write([662, 296], 'c²', [64, INK.red])),
  at(11, 2, { do: 'image', image: tilePicture(), box: tiles(1010, 500, 520) }),
  at(13.4, 1, write([1010, 100], 'a² + b² = c²', [84, INK.blue])),
  at(15.6, 0, draw(underline(1010, 222, 470), INK.red, 700)),
  at(16.6, 0, {
    do: 'laser',
    path: [...polygon(...SQUARE_C), ...polygon(...SQUARE_C)],
    overMs: 2600,
  }),
  at(18.6, 3, write([1010, 262], '3² + 4² = 5²', [68, INK.purple])),
  at(20.2, 3, write([1010, 362], '9 + 16 = 25 ✅', [68, INK.purple])),
  at(22.4, 3, shape(arrow([1300, 452], [1300, 512], INK.purple))),
  at(23.4, 2, draw(star(925, 690, 52), INK.orange, 1500)),
  at(26.4, 1, write([40, 712], '直角三角形：∠C = 90°', [36, INK.ink])),

  at(31, 0, { do: 'page', page: CONVERSE, region: WHOLE }),
  at(31.2, 0, write([72, 44], '逆定理：反过来也成立吗？🤔', [68, INK.ink])),
  at(32, 0, draw(polygon([160, 620], [940, 620], [160, 295], [160, 620]), INK.ink, 1800)),
  at(34, 0, write([510, 630], '12', [52, INK.blue])),
  at(34.3, 0, write([96, 420], '5', [52, INK.green])),
  at(34.6, 0, write([570, 380], '13', [52, INK.red])),
  at(35.4, 0, { do: 'glide', from: WHOLE, to: TRIANGLE, overMs: 1200 }),
  at(36.8, 2, draw(arc(184, 596, 56, -90, 0), INK.red, 600, 1)),
  at(37.6, 0, { do: 'laser', path: polygon([160, 620], [940, 620], [160, 295]), overMs: 1800 }),
  at(39.8, 0, { do: 'glide', from: TRIANGLE, to: WHOLE, overMs: 1200 }),
  at(41.2, 1, write([1020, 210], '5² + 12² = 13²', [64, INK.blue])),
  at(
    42,
    0,
    shape({
      type: 'diamond',
      x: 1130,
      y: 360,
      width: 240,
      height: 170,
      ...washed(INK.orange, WASH.yellow),
    }),
  ),
  at(42.4, 0, write([1196, 414], '90° ?', [50, INK.ink])),
  at(43, 0, shape(arrow([1250, 532], [1250, 612], INK.ink))),
  at(
    43.6,
    0,
    shape({
      type: 'ellipse',
      x: 1130,
      y: 620,
      width: 240,
      height: 130,
      ...washed(INK.green, WASH.green),
    }),
  ),
  at(44, 3, write([1192, 652], '是！✅', [50, INK.ink])),
];

/** The tiles, as wide as asked. */
function tiles(x: number, y: number, width: number): Region {
  const { width: across, height: down } = TILE_PICTURE_SIZE;
  return { x, y, width, height: (width * down) / across };
}

function arrow(
  from: readonly [number, number],
  to: readonly [number, number],
  color: string,
): Shape {
  const [x, y] = from;
  const points: [number, number][] = [
    [0, 0],
    [to[0] - x, to[1] - y],
  ];
  return { type: 'arrow', x, y, points, strokeColor: color, strokeWidth: 4 };
}
