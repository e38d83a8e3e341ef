import { z } from 'zod';

/**
 * The whiteboard's Yjs document: an array `strokes`, of maps `{ color, width, points }` whose points may grow while
 * they are drawn, and an array `texts`, of objects. Everything is in board units, whatever size it is shown at.
 */
export const BOARD_WIDTH = 1600;
export const BOARD_HEIGHT = 800;
export const STROKES = 'strokes';
export const TEXTS = 'texts';

/** CSS colours of a shape that can only be a colour. */
const color = z.string().regex(/^#[0-9a-f]{6}$/i, 'expected a colour as #rrggbb');
const coordinate = z.number().min(-10_000).max(10_000);

export const boardStrokeSchema = z.object({
  /** x and y by turns. */
  points: z.array(coordinate).max(100_000),
  color: color.default('#1f2933'),
  width: z.number().min(1).max(100).default(4),
});
export type BoardStroke = z.infer<typeof boardStrokeSchema>;

export const boardTextSchema = z.object({
  /** Left end of the baseline. */
  x: coordinate,
  y: coordinate,
  text: z.string().max(500),
  size: z.number().min(8).max(300).default(40),
  color: color.default('#1f2933'),
});
export type BoardText = z.infer<typeof boardTextSchema>;
