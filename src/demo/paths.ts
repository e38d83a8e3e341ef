/** Points of one stroke in board units, x and y by turns. */
export type Path = readonly number[];

/** Distance between the points of a stroke, board units: what a hand makes at 10 points a second. */
const STEP = 12;

/** Straight lines through the corners, with the slight wobble of a hand. The same every time. */
export function polygon(...corners: readonly (readonly [number, number])[]): Path {
  const points: number[] = [];
  for (const [i, [toX, toY]] of corners.entries()) {
    const [fromX, fromY] = corners[i - 1] ?? [toX, toY];
    const steps = Math.max(1, Math.round(Math.hypot(toX - fromX, toY - fromY) / STEP));
    for (let k = i === 0 ? steps : 1; k <= steps; k++) {
      const wobble = Math.sin((k + i * 7) * 0.31) * 1.8;
      const x = fromX + ((toX - fromX) * k) / steps + wobble;
      const y = fromY + ((toY - fromY) * k) / steps + Math.cos((k + i * 5) * 0.23) * 1.8;
      points.push(Math.round(x * 10) / 10, Math.round(y * 10) / 10);
    }
  }
  return points;
}

/** A line under a word. */
export function underline(x: number, y: number, length: number): Path {
  return polygon([x, y], [x + length * 0.5, y + 5], [x + length, y]);
}

/** Part of a circle, angles in degrees, clockwise from the right. */
export function arc(x: number, y: number, radius: number, from: number, to: number): Path {
  const steps = Math.max(4, Math.round(((Math.abs(to - from) / 180) * Math.PI * radius) / STEP));
  const corners = Array.from({ length: steps + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / steps) * Math.PI) / 180;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)] as const;
  });
  return polygon(...corners);
}

/** A five-pointed star in one stroke. */
export function star(x: number, y: number, radius: number): Path {
  const corners = Array.from({ length: 6 }, (_, i) => {
    const angle = -Math.PI / 2 + (i * 4 * Math.PI) / 5;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)] as const;
  });
  return polygon(...corners);
}
