import { findPictureClock } from '../../../src/demo/picture-clock.ts';
import { readGrayFrames } from '../gray-frames.ts';
import { picturePlaces } from '../layouts/picture-places.ts';

const WIDTH = 1280;
const HEIGHT = 720;

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

/** The place of picture `i` of `count` of a small class at 1280×720. */
export function tileBox(i: number, count: number): TileBox {
  const place = picturePlaces(count)[i];
  if (place === undefined) throw new Error(`Picture ${i} of ${count} is not shown.`);
  return place;
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

/**
 * The same of a film that is repeated and has its own time: as if its first legible clock had been right, so that it goes on like
 * any other, while it tells of no delay.
 */
export function readFilmClocks(
  pictures: readonly RowPicture[],
  box: TileBox,
  filmMs: number,
): TileClock[] {
  let beganMs: number | undefined;
  return pictures.flatMap(({ atMs, luma }) => {
    const picture = { luma, width: WIDTH, height: HEIGHT / 2 };
    const inFilmMs = findPictureClock(picture, box, 0);
    if (inFilmMs === undefined || inFilmMs < 0 || inFilmMs >= filmMs) return [];
    beganMs ??= atMs - inFilmMs;
    const turns = Math.round((atMs - beganMs - inFilmMs) / filmMs);
    return [{ atMs, clockMs: beganMs + inFilmMs + turns * filmMs }];
  });
}

/** The longest time a tile's clock did not go on between two times, ms; gaps at both ends count. */
export function longestStand(clocks: readonly TileClock[], fromMs: number, toMs: number): number {
  return Math.max(...listStands(clocks, fromMs, toMs).map((one) => one.toMs - one.fromMs));
}

/** A time in which a clock stood: from one of its steps to the next. */
export type Stand = { readonly fromMs: number; readonly toMs: number };

/** The stands of a tile's clock between two times; those at both ends count. */
export function listStands(
  clocks: readonly TileClock[],
  fromMs: number,
  toMs: number,
): readonly Stand[] {
  const stands: Stand[] = [];
  let [movedMs, last] = [fromMs, Number.NEGATIVE_INFINITY];
  for (const { atMs, clockMs } of clocks) {
    if (atMs < fromMs || atMs > toMs || clockMs <= last) continue;
    stands.push({ fromMs: movedMs, toMs: atMs });
    [movedMs, last] = [atMs, clockMs];
  }
  return [...stands, { fromMs: movedMs, toMs }];
}

/**
 * How long each stand of each tile lasted, ms, without the times in which no tile's clock went on: then it was the recording that
 * stood, on a machine that starved.
 */
export function listOwnStands(
  tiles: readonly (readonly Stand[])[],
): readonly (readonly number[])[] {
  const steps = [...new Set(tiles.flat().map(({ toMs }) => toMs))].sort((a, b) => a - b);
  const common = steps
    .slice(1)
    .map((toMs, i) => ({ fromMs: steps[i] ?? toMs, toMs }))
    .filter(({ fromMs, toMs }) => toMs - fromMs > COMMON_STAND_MS);
  return tiles.map((stands) =>
    stands.map((stand) => {
      const shared = common.map((one) => Math.max(0, overlap(stand, one) - COMMON_STAND_MS));
      return stand.toMs - stand.fromMs - shared.reduce((sum, ms) => sum + ms, 0);
    }),
  );
}

/** Clocks step each 100 ms; pictures that are 100 ms apart, and a little late, show two steps as one. */
const COMMON_STAND_MS = 200;

function overlap(a: Stand, b: Stand): number {
  return Math.max(0, Math.min(a.toMs, b.toMs) - Math.max(a.fromMs, b.fromMs));
}
