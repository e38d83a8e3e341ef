import { z } from 'zod';
import { boardIdSchema, colorSchema, coordinateSchema } from './board-element.ts';

/**
 * The whiteboard's Yjs document, as any y-websocket server may hold it (docs/classroom.md has an example):
 *
 * | shared type | what it has |
 * |---|---|
 * | array `pages` | pages in their order, `{ id, title?, background? }` |
 * | map `page:<id>` for each | elements by id: an Excalidraw element as one JSON value, replaced whole; or, of a stroke that grows while it is drawn, a map of `element` (all but the points) and `points` (an array of numbers, x and y by turns) |
 * | map `files` | images by id, `{ mimeType, dataURL }`; what an id stands for never changes |
 * | map `state` | `view`: the page and the region of it that the teacher sees |
 *
 * Who points, and where, is in the awareness (`boardPresenceSchema`).
 */
export const PAGES = 'pages';
export const FILES = 'files';
export const STATE = 'state';
export const VIEW = 'view';

/** Name of the map of a page's elements. */
export const elementsName = (pageId: string): string => `page:${pageId}`;

/** What is shown where the document names no page and no view. */
export const DEFAULT_PAGE = '1';
export const BOARD_WIDTH = 1600;
export const BOARD_HEIGHT = 800;

/** Elements shown of one page at most, and images of one board. */
export const MAX_PAGE_ELEMENTS = 10_000;
export const MAX_BOARD_FILES = 200;
/** Characters of an image's data URL: 2 MiB of image. */
const MAX_DATA_URL = 2_800_000;

/** Query parameter and value by which a connection says that it only reads. */
export const READER_ROLE = { name: 'role', value: 'recorder' } as const;

export const boardPageSchema = z.object({
  id: boardIdSchema,
  title: z.string().max(200).optional(),
  background: colorSchema.optional(),
});
export type BoardPage = z.infer<typeof boardPageSchema>;

/** A region of a page, board units. Whoever follows shows all of it, as large as there is room for, in the middle. */
export const boardViewSchema = z.object({
  page: boardIdSchema,
  x: coordinateSchema,
  y: coordinateSchema,
  width: z.number().min(1).max(1_000_000),
  height: z.number().min(1).max(1_000_000),
});
export type BoardView = z.infer<typeof boardViewSchema>;

const IMAGE_URL = /^data:(image\/(?:png|jpeg|webp));base64,[A-Za-z0-9+/]+={0,2}$/;

/** An image. Pictures of pixels only: SVG can load and run what it likes. */
export const boardFileSchema = z
  .object({
    mimeType: z.enum(['image/png', 'image/jpeg', 'image/webp']),
    dataURL: z.string().max(MAX_DATA_URL, 'expected an image of at most 2 MiB'),
  })
  .refine(({ mimeType, dataURL }) => IMAGE_URL.exec(dataURL)?.[1] === mimeType, {
    path: ['dataURL'],
    error: 'expected a base64 data URL of the MIME type',
  });
export type BoardFile = z.infer<typeof boardFileSchema>;

/** What a participant's awareness says. A laser is seen while its button is down, and fades behind it. */
export const boardPresenceSchema = z.object({
  user: z
    .object({ name: z.string().max(200).optional(), color: colorSchema.optional() })
    .optional(),
  page: boardIdSchema.optional(),
  pointer: z.object({
    x: coordinateSchema,
    y: coordinateSchema,
    tool: z.enum(['pointer', 'laser']),
  }),
  button: z.enum(['up', 'down']).default('up'),
});
export type BoardPresence = z.input<typeof boardPresenceSchema>;

/** A board's address as y-websocket's client takes it: the last part of the path is the room. */
export function splitBoardUrl(url: string): {
  readonly server: string;
  readonly room: string;
  readonly params: Readonly<Record<string, string>>;
} {
  const { origin, pathname, searchParams } = new URL(url);
  const cut = pathname.lastIndexOf('/');
  return {
    server: origin + pathname.slice(0, cut),
    room: pathname.slice(cut + 1),
    params: Object.fromEntries(searchParams),
  };
}
