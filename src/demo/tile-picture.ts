import { crc32, deflateSync } from 'node:zlib';
import type { BoardFile } from '../protocol/whiteboard.ts';

type Rgb = readonly [red: number, green: number, blue: number];

const TILE = 26;
const GROUT = 2;
/** Tiles across and down: squares of 3, 4 and 5 on one line, a tile of room about each. */
const COLUMNS = 3 + 4 + 5 + 4;
const ROWS = 7;
const SQUARES: readonly { readonly side: number; readonly left: number; readonly color: Rgb }[] = [
  { side: 3, left: 1, color: [64, 120, 200] },
  { side: 4, left: 5, color: [70, 150, 100] },
  { side: 5, left: 10, color: [210, 84, 66] },
];
const PAPER: Rgb = [250, 244, 230];

/** Its size in pixels. */
export const TILE_PICTURE_SIZE = { width: COLUMNS * TILE, height: ROWS * TILE } as const;

/** A picture of three squares of tiles, 9 + 16 = 25, as PNG. */
export function tilePicture(): BoardFile {
  const { width, height } = TILE_PICTURE_SIZE;
  const rows: number[] = [];
  for (let y = 0; y < height; y++) {
    rows.push(0); // no filter, PNG §9.2
    for (let x = 0; x < width; x++) rows.push(...colorAt(x, y));
  }
  const png = encodePng({ width, height }, Buffer.from(rows));
  return { mimeType: 'image/png', dataURL: `data:image/png;base64,${png.toString('base64')}` };
}

function colorAt(x: number, y: number): Rgb {
  const [column, row] = [Math.floor(x / TILE), Math.floor(y / TILE)];
  const top = (side: number): number => ROWS - 1 - side;
  const square = SQUARES.find(
    ({ side, left }) =>
      column >= left && column < left + side && row >= top(side) && row < ROWS - 1,
  );
  const isGrout = Math.min(x % TILE, y % TILE) < GROUT;
  if (square === undefined || isGrout) return PAPER;
  // lit from the upper left, each tile a little different from its neighbours
  const light = 1.12 - ((x % TILE) + (y % TILE)) / (6 * TILE) - ((column + row) % 2) * 0.06;
  return square.color.map((part) => Math.min(255, Math.round(part * light))) as unknown as Rgb;
}

/** PNG (ISO/IEC 15948) of 8 bit RGB. */
function encodePng({ width, height }: { width: number; height: number }, rows: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8); // bit depth, colour type RGB, the only methods there are
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const chunks = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND')];
  return Buffer.concat([signature, ...chunks]);
}

function chunk(type: string, data = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const made = Buffer.alloc(body.length + 8);
  made.writeUInt32BE(data.length, 0);
  made.set(body, 4);
  made.writeUInt32BE(crc32(body), body.length + 4);
  return made;
}
