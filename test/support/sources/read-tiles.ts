import { findPictureClock } from '../../../src/demo/picture-clock.ts';
import { readGrayFrames } from '../gray-frames.ts';

const WIDTH = 1280;
const HEIGHT = 720;
/** Margins, gaps and the header of the classroom page (style.css), CSS pixels. */
const MARGIN = 14;
const GAP = 12;
const TOP = 64;

/** A clock that was read in a tile: when it was recorded, and what it said; Unix ms. */
export type TileClock = { readonly atMs: number; readonly clockMs: number };

/** One recorded picture of the row of tiles. */
export type RowPicture = { readonly atMs: number; readonly luma: Uint8Array };

/** Where a tile is, pixels. */
export type TileBox = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

/** The place of tile `i` of `count` in the board layout at 1280×720. */
export function tileBox(i: number, count: number): TileBox {
  const width = (WIDTH - 2 * MARGIN - (count - 1) * GAP) / count;
  return { x: MARGIN + i * (width + GAP), y: TOP, width, height: (width * 9) / 16 };
}

/** All recorded pictures with their times; `startMs` is that of the first segment. */
export async function readPictures(playlist: string, startMs: number): Promise<RowPicture[]> {
  const frames = await readGrayFrames(playlist, {
    region: { x: 0, y: 0, width: 1, height: 1 / 2 },
    columns: WIDTH,
    rows: HEIGHT / 2,
  });
  return frames.map(({ ptsS, cells }) => ({
    atMs: startMs + (ptsS - 10) * 1000,
    luma: cells,
  }));
}

/** The legible clocks of a tile. */
export function readClocks(pictures: readonly RowPicture[], box: TileBox): TileClock[] {
  return pictures.flatMap(({ atMs, luma }) => {
    const picture = { luma, width: WIDTH, height: HEIGHT / 2 };
    const clockMs = findPictureClock(picture, box, atMs);
    return clockMs === undefined ? [] : [{ atMs, clockMs }];
  });
}

/** The longest time a tile's clock did not go on between two times, ms; gaps at both ends count. */
export function longestStand(clocks: readonly TileClock[], fromMs: number, toMs: number): number {
  return Math.max(...listStands(clocks, fromMs, toMs));
}

/** How long a tile's clock stood before each of its steps between two times, and at the end, ms. */
export function listStands(
  clocks: readonly TileClock[],
  fromMs: number,
  toMs: number,
): readonly number[] {
  const stands: number[] = [];
  let [movedMs, last] = [fromMs, Number.NEGATIVE_INFINITY];
  for (const { atMs, clockMs } of clocks) {
    if (atMs < fromMs || atMs > toMs || clockMs <= last) continue;
    stands.push(atMs - movedMs);
    [movedMs, last] = [atMs, clockMs];
  }
  return [...stands, toMs - movedMs];
}
