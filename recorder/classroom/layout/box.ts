/** A place on the page: whole CSS pixels from its upper left corner. */
export type Box = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

export type Edge = 'top' | 'bottom' | 'left' | 'right';

/** Cuts a strip off an edge: the strip, and what is left beyond the gap. Neither is ever larger than there is room. */
export function cut(
  box: Box,
  edge: Edge,
  { size, gap }: { readonly size: number; readonly gap: number },
): readonly [strip: Box, rest: Box] {
  const { x, y, width, height } = box;
  const isRow = edge === 'top' || edge === 'bottom';
  const room = isRow ? height : width;
  const taken = Math.max(0, Math.min(room, Math.floor(size)));
  const left = Math.max(0, room - taken - gap);
  if (edge === 'top')
    return [
      { ...box, height: taken },
      { ...box, y: y + room - left, height: left },
    ];
  if (edge === 'bottom') {
    return [
      { ...box, y: y + room - taken, height: taken },
      { ...box, height: left },
    ];
  }
  if (edge === 'left')
    return [
      { ...box, width: taken },
      { ...box, x: x + room - left, width: left },
    ];
  return [
    { ...box, x: x + room - taken, width: taken },
    { ...box, width: left },
  ];
}

/** Whether one place has a pixel of another. */
export function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
