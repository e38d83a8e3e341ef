import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Box } from '../../../recorder/classroom/layout/box.ts';
import { runProgram } from '../programs.ts';

/** Pixels of the page that are one cell of a comparison: letters blur, places and colours stay. */
export const CELL = 16;

/** A page's picture as the mean colours of its cells: red, green and blue by turns, row by row. */
export type CellPicture = { readonly columns: number; readonly colours: Uint8Array };

/** Reads all JPEGs of a folder whose names end so, by name; they show pages of this size, however much smaller they are. */
export async function readPictures(
  folder: string,
  ending: string,
  page: { readonly width: number; readonly height: number },
): Promise<ReadonlyMap<string, CellPicture>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(ending)).sort();
  const [columns, rows] = [Math.floor(page.width / CELL), Math.floor(page.height / CELL)];
  const { stdout } = await runProgram('ffmpeg', [
    // the shell's order, which is that of `sort`
    ...['-v', 'error', '-pattern_type', 'glob', '-i', path.join(folder, `*${ending}`)],
    ...['-vf', `scale=${columns}:${rows}:flags=area`],
    ...['-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
  ]);
  const bytes = 3 * columns * rows;
  return new Map(
    names.map((name, i) => [
      name,
      { columns, colours: stdout.subarray(i * bytes, (i + 1) * bytes) },
    ]),
  );
}

/** How many of the cells within a box of the page differ by more than `by` of 255 in a colour, as a share of them. */
export function shareOfOtherCells(a: CellPicture, b: CellPicture, box: Box, by: number): number {
  const cells = cellsWithin(box, a.columns);
  const others = cells.filter((cell) =>
    [0, 1, 2].some(
      (k) => Math.abs((a.colours[3 * cell + k] ?? 0) - (b.colours[3 * cell + k] ?? 255)) > by,
    ),
  );
  return others.length / Math.max(1, cells.length);
}

/** The picture with what is in two boxes of one size exchanged. */
export function exchange(picture: CellPicture, a: Box, b: Box): CellPicture {
  const colours = Uint8Array.from(picture.colours);
  const [from, to] = [cellsWithin(a, picture.columns), cellsWithin(b, picture.columns)];
  from.forEach((cell, i) => {
    const other = to[i];
    if (other === undefined) return;
    for (const k of [0, 1, 2]) {
      colours[3 * cell + k] = picture.colours[3 * other + k] ?? 0;
      colours[3 * other + k] = picture.colours[3 * cell + k] ?? 0;
    }
  });
  return { ...picture, colours };
}

/** Numbers of the cells that lie within a box, row by row. */
function cellsWithin({ x, y, width, height }: Box, columns: number): readonly number[] {
  const [left, top] = [Math.ceil(x / CELL), Math.ceil(y / CELL)];
  const across = Math.floor(width / CELL) - 1;
  const down = Math.floor(height / CELL) - 1;
  return Array.from({ length: Math.max(0, across * down) }, (_, i) => {
    return (top + Math.floor(i / across)) * columns + left + (i % across);
  });
}
