import type { Box } from './box.ts';
import type { Geometry } from './geometry.ts';

/** Changes within this time are told as one, the last, ms. */
const LEAST_MS = 250;

type Corners = readonly [x: number, y: number, width: number, height: number];

/** What is on screen from `atMs` on, as the recording's log keeps it: boxes in pixels of the picture; null: not shown. */
export type GeometryEvent = {
  readonly type: 'geometry';
  /** Unix ms. */
  readonly atMs: number;
  readonly layout: Geometry['layout'];
  readonly view: Geometry['view'];
  readonly size: readonly [width: number, height: number];
  readonly board: Corners | null;
  readonly chat: Corners | null;
  /** Each tile's picture, without its caption. */
  readonly tiles: readonly {
    readonly participantId: string;
    readonly role: string;
    readonly box: Corners;
    readonly isLead: boolean;
  }[];
};

/** What a geometry says to the recording's log. */
export function describeGeometry(geometry: Geometry, atMs: number): GeometryEvent {
  const { layout, view, width, height, board, chat, tiles } = geometry;
  return {
    ...{ type: 'geometry', atMs, layout, view, size: [width, height] },
    board: cornersOf(board),
    chat: cornersOf(chat),
    tiles: tiles.map(({ participantId, role, picture, isLead }) => ({
      ...{ participantId, role, isLead },
      box: toCorners(picture),
    })),
  };
}

/** Tells of changes of what is on screen: the first at once, at most four a second, the last of them always. */
export class GeometryLog {
  readonly #tell: (event: GeometryEvent) => void;
  #told = '';
  #toldMs = Number.NEGATIVE_INFINITY;
  #waiting: GeometryEvent | undefined;

  constructor(tell: (event: GeometryEvent) => void) {
    this.#tell = tell;
  }

  take(geometry: Geometry): void {
    const isTimed = this.#waiting !== undefined;
    this.#waiting = describeGeometry(geometry, Date.now());
    const waitMs = this.#toldMs + LEAST_MS - performance.now();
    if (waitMs <= 0) this.#flush();
    else if (!isTimed) setTimeout(() => this.#flush(), waitMs);
  }

  #flush(): void {
    const event = this.#waiting;
    if (event === undefined) return;
    this.#waiting = undefined;
    const { atMs: _, ...said } = event;
    const text = JSON.stringify(said);
    if (text === this.#told) return;
    this.#told = text;
    this.#toldMs = performance.now();
    this.#tell(event);
  }
}

const cornersOf = (box: Box | null): Corners | null => (box === null ? null : toCorners(box));
const toCorners = ({ x, y, width, height }: Box): Corners => [x, y, width, height];
