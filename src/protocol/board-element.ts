import { z } from 'zod';

/**
 * What a whiteboard's elements may be: Excalidraw's own elements, their known fields alone, so that nothing else reaches what draws
 * them. Links, custom data and bindings are left out; `embeddable`, `iframe` and `magicframe`, which load pages, are no
 * elements. Lengths are board units.
 */

/** Lengths and places on a board, board units. */
export const coordinateSchema = z.number().min(-1_000_000).max(1_000_000);
/** A colour, and nothing that could name a resource. */
export const colorSchema = z
  .string()
  .regex(/^(#[0-9a-f]{3,8}|[a-z]{3,24})$/i, 'expected a colour as #rrggbb or by its name');
/** Names pages, elements and images. */
export const boardIdSchema = z.string().min(1).max(128);

/** Points of one stroke at most; a hand makes some 60 a second. */
const MAX_POINTS = 20_000;
const pointSchema = z.tuple([coordinateSchema, coordinateSchema]);
const polylineSchema = z.array(pointSchema).min(2).max(MAX_POINTS);

const common = {
  id: boardIdSchema,
  /** Top left corner; of strokes and lines, what their points count from. */
  x: coordinateSchema,
  y: coordinateSchema,
  width: coordinateSchema.default(0),
  height: coordinateSchema.default(0),
  /** Radians. */
  angle: z.number().min(-100).max(100).default(0),
  strokeColor: colorSchema.default('#1e1e1e'),
  backgroundColor: colorSchema.default('transparent'),
  fillStyle: z.enum(['hachure', 'cross-hatch', 'solid', 'zigzag']).default('solid'),
  strokeWidth: z.number().min(0.1).max(200).default(2),
  strokeStyle: z.enum(['solid', 'dashed', 'dotted']).default('solid'),
  /** 0 is drawn with a ruler, 2 by a child. */
  roughness: z.number().min(0).max(10).default(1),
  opacity: z.number().min(0).max(100).default(100),
  roundness: z
    .object({ type: z.literal([1, 2, 3]), value: z.number().optional() })
    .nullable()
    .default(null),
  /** Makes the hand's wobble the same everywhere. */
  seed: z.number().int().default(1),
  version: z.number().int().default(1),
  versionNonce: z.number().int().default(0),
  updated: z.number().optional(),
  /** Place in the order of drawing: compared as text, what has none is drawn last. */
  index: z.string().max(200).nullish(),
  isDeleted: z.boolean().default(false),
  groupIds: z.array(boardIdSchema).max(64).default([]),
  frameId: boardIdSchema.nullable().default(null),
  boundElements: z
    .array(z.object({ id: boardIdSchema, type: z.enum(['arrow', 'text']) }))
    .max(1000)
    .nullable()
    .default(null),
  locked: z.boolean().default(false),
};

const ARROWHEADS = [
  ...['arrow', 'bar', 'dot', 'circle', 'circle_outline', 'triangle', 'triangle_outline'],
  ...['diamond', 'diamond_outline', 'crowfoot_one', 'crowfoot_many', 'crowfoot_one_or_many'],
] as const;
const arrowheadSchema = z.enum(ARROWHEADS).nullable();

const shapeSchema = z.object({ ...common, type: z.enum(['rectangle', 'diamond', 'ellipse']) });
const frameSchema = z.object({
  ...common,
  type: z.literal('frame'),
  name: z.string().max(200).nullable().default(null),
});
const lineSchema = z.object({
  ...common,
  type: z.enum(['line', 'arrow']),
  points: polylineSchema,
  startArrowhead: arrowheadSchema.default(null),
  endArrowhead: arrowheadSchema.optional(),
  elbowed: z.boolean().default(false),
});
const freedrawSchema = z.object({
  ...common,
  type: z.literal('freedraw'),
  points: z.array(pointSchema).max(MAX_POINTS),
  pressures: z.array(z.number().min(0).max(1)).max(MAX_POINTS).default([]),
  simulatePressure: z.boolean().default(true),
});
const textSchema = z.object({
  ...common,
  type: z.literal('text'),
  /** As it is shown: lines are broken where its writer broke them. */
  text: z.string().min(1).max(10_000),
  originalText: z.string().max(10_000).optional(),
  fontSize: z.number().min(1).max(1000).default(20),
  /** Excalidraw's numbers: 5 Excalifont, 6 Nunito, 7 Lilita One, 8 Comic Shanns, 9 Liberation Sans; 1 to 3 are older. */
  fontFamily: z.literal([1, 2, 3, 5, 6, 7, 8, 9]).default(5),
  textAlign: z.enum(['left', 'center', 'right']).default('left'),
  verticalAlign: z.enum(['top', 'middle', 'bottom']).default('top'),
  containerId: boardIdSchema.nullable().default(null),
  lineHeight: z.number().min(0.5).max(5).default(1.25),
  autoResize: z.boolean().default(true),
});
const imageSchema = z.object({
  ...common,
  type: z.literal('image'),
  fileId: boardIdSchema,
  scale: z.tuple([z.literal([1, -1]), z.literal([1, -1])]).default([1, 1]),
  crop: z
    .object({
      ...{ x: coordinateSchema, y: coordinateSchema },
      ...{ width: coordinateSchema, height: coordinateSchema },
      ...{ naturalWidth: coordinateSchema, naturalHeight: coordinateSchema },
    })
    .nullable()
    .default(null),
});

const boardElementSchema = z.discriminatedUnion('type', [
  shapeSchema,
  frameSchema,
  lineSchema,
  freedrawSchema,
  textSchema,
  imageSchema,
]);
export type BoardElement = z.output<typeof boardElementSchema>;
/** An element as it is written: what has a default may be left out. */
export type NewBoardElement = z.input<typeof boardElementSchema>;

/** A stroke that grows: all but its points, and these as numbers, x and y by turns. */
const growingSchema = z.object({
  element: z.record(z.string(), z.unknown()),
  points: z.array(z.number()),
});

/** The element that a value of a page's map says; undefined where it says none that may be drawn. Never throws. */
export function findBoardElement(id: string, value: unknown): BoardElement | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const growing = growingSchema.safeParse(value);
  const whole = growing.success ? joinPoints(growing.data) : value;
  const { data } = boardElementSchema.safeParse({ ...whole, id });
  return data?.type === 'text' ? withSize(data) : data;
}

/** What one who cannot measure text takes for its size, board units: rather too much, since what is beyond is cut off. */
export function estimateTextSize(
  text: string,
  { fontSize, lineHeight }: { readonly fontSize: number; readonly lineHeight: number },
): { readonly width: number; readonly height: number } {
  const lines = text.split('\n');
  const ems = lines.map((line) => Array.from(line).reduce((sum, char) => sum + emsOf(char), 0));
  return {
    width: Math.ceil(Math.max(...ems) * fontSize),
    height: Math.ceil(lines.length * fontSize * lineHeight),
  };
}

/** Latin letters are seldom wider than this; all else may be as wide as it is high, emoji somewhat wider. */
const LATIN_EMS = 0.75;
const OTHER_EMS = 1.3;
const CJK_EMS = 1;
const emsOf = (char: string): number => {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x2000) return LATIN_EMS;
  return code >= 0x2e80 && code <= 0xffef ? CJK_EMS : OTHER_EMS;
};

/** A stroke that grows beyond what may be drawn stays as it was then. */
function joinPoints({ element, points }: z.infer<typeof growingSchema>): object {
  const length = Math.min(points.length, 2 * MAX_POINTS);
  const pairs: [number, number][] = [];
  for (let i = 0; i + 1 < length; i += 2) pairs.push([points[i] ?? NaN, points[i + 1] ?? NaN]);
  return { ...element, points: pairs };
}

function withSize(text: Extract<BoardElement, { type: 'text' }>): BoardElement {
  if (text.width !== 0 && text.height !== 0) return text;
  return { ...text, ...estimateTextSize(text.text, text) };
}
