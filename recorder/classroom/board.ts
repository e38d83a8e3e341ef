import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import {
  BOARD_HEIGHT,
  BOARD_WIDTH,
  boardStrokeSchema,
  boardTextSchema,
  STROKES,
  TEXTS,
} from '../../src/protocol/whiteboard.ts';

const FONT = '"Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif';

export type Board = {
  /** Resolves when the server's drawing is here. */
  readonly synced: Promise<void>;
  readonly state: () => { synced: boolean; strokes: number; texts: string[] };
};

/** Shows a shared whiteboard in `canvas`, read-only: it draws when something changed, and only what was added. */
export function openBoard(url: string, canvas: HTMLCanvasElement): Board {
  const doc = new Y.Doc();
  const strokes = doc.getArray<unknown>(STROKES);
  const texts = doc.getArray<unknown>(TEXTS);
  const painter = new BoardPainter(canvas, strokes, texts);
  strokes.observeDeep((events) => {
    painter.changed(events.every(onlyAdds) ? 'added' : 'anything');
  });
  texts.observe((event) => {
    painter.changed(onlyAdds(event) ? 'added' : 'anything');
  });
  const provider = connect(url, doc);
  const synced = new Promise<void>((resolve) => {
    provider.once('sync', () => {
      resolve();
    });
  });
  return {
    synced,
    state: () => ({
      synced: provider.synced,
      strokes: strokes.length,
      texts: texts.toArray().flatMap((text) => boardTextSchema.safeParse(text).data?.text ?? []),
    }),
  };
}

/** The last part of the path is the room, as y-websocket has it. */
function connect(url: string, doc: Y.Doc): WebsocketProvider {
  const { origin, pathname, searchParams } = new URL(url);
  const cut = pathname.lastIndexOf('/');
  const provider = new WebsocketProvider(
    origin + pathname.slice(0, cut),
    pathname.slice(cut + 1),
    doc,
    {
      params: Object.fromEntries(searchParams),
      disableBc: true,
      maxBackoffTime: 2000,
    },
  );
  provider.awareness.setLocalState(null); // nobody sees us
  return provider;
}

const onlyAdds = (event: Pick<Y.YEvent<Y.Array<unknown>>, 'changes' | 'keys'>): boolean =>
  event.changes.deleted.size === 0 && event.keys.size === 0;

class BoardPainter {
  readonly #canvas: HTMLCanvasElement;
  readonly #strokes: Y.Array<unknown>;
  readonly #texts: Y.Array<unknown>;
  /** Numbers (half points) drawn of each stroke, and texts drawn. */
  #drawn = new Map<unknown, number>();
  #drawnTexts = 0;
  #pending: 'none' | 'added' | 'anything' = 'none';

  constructor(canvas: HTMLCanvasElement, strokes: Y.Array<unknown>, texts: Y.Array<unknown>) {
    this.#canvas = canvas;
    this.#strokes = strokes;
    this.#texts = texts;
    new ResizeObserver(() => {
      this.#resize();
    }).observe(canvas);
  }

  changed(what: 'added' | 'anything'): void {
    if (this.#pending === 'none') {
      requestAnimationFrame(() => {
        this.#paint();
      });
    }
    if (this.#pending !== 'anything') this.#pending = what;
  }

  #resize(): void {
    const width = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    const height = Math.round(this.#canvas.clientHeight * devicePixelRatio);
    if (width === this.#canvas.width && height === this.#canvas.height) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.changed('anything');
  }

  #paint(): void {
    const context = this.#canvas.getContext('2d');
    if (context === null) return;
    if (this.#pending === 'anything') this.#wipe(context);
    this.#pending = 'none';
    const scale = Math.min(this.#canvas.width / BOARD_WIDTH, this.#canvas.height / BOARD_HEIGHT);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    for (const stroke of this.#strokes) this.#paintStroke(context, stroke);
    for (const text of this.#texts.slice(this.#drawnTexts)) paintText(context, text);
    this.#drawnTexts = this.#texts.length;
  }

  #wipe(context: CanvasRenderingContext2D): void {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#drawn = new Map();
    this.#drawnTexts = 0;
  }

  #paintStroke(context: CanvasRenderingContext2D, shared: unknown): void {
    const from = this.#drawn.get(shared) ?? 0;
    const length = lengthOf(shared);
    if (length !== undefined && length <= from) return;
    const value = shared instanceof Y.Map ? (shared.toJSON() as unknown) : shared;
    const { data: stroke } = boardStrokeSchema.safeParse(value);
    this.#drawn.set(shared, stroke?.points.length ?? Infinity);
    if (stroke === undefined || stroke.points.length <= from) return;
    context.strokeStyle = stroke.color;
    context.lineWidth = stroke.width;
    context.lineCap = 'round';
    context.lineJoin = 'round';
    context.beginPath();
    const start = Math.max(0, from - 2);
    for (let i = start; i + 1 < stroke.points.length; i += 2) {
      const x = stroke.points[i] ?? 0;
      const y = stroke.points[i + 1] ?? 0;
      if (i === start) context.moveTo(x, y);
      context.lineTo(x, y);
    }
    context.stroke();
  }
}

/** Numbers in a growing stroke, without copying them. */
function lengthOf(shared: unknown): number | undefined {
  if (!(shared instanceof Y.Map)) return undefined;
  const points: unknown = shared.get('points');
  return points instanceof Y.Array ? points.length : undefined;
}

function paintText(context: CanvasRenderingContext2D, value: unknown): void {
  const { data: text } = boardTextSchema.safeParse(value);
  if (text === undefined) return;
  context.fillStyle = text.color;
  context.font = `500 ${text.size}px ${FONT}`;
  context.fillText(text.text, text.x, text.y);
}
