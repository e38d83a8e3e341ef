/** A moment someone wants kept: made at the press, the same however often it is sent. */
export type Wish = {
  readonly triggerId: string;
  /** By the service's clock, Unix ms. */
  readonly atMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly title?: string;
};

/** A wish that the service has not confirmed. */
export type PendingWish = {
  readonly wish: Wish;
  /** `sending`: the first try; `waiting`: it did not get through and is tried again; `refused`: the service will not have it. */
  readonly state: 'sending' | 'waiting' | 'refused';
  /** Why it was refused, for people. */
  readonly reason: string | null;
};

/** What became of sending; anything thrown means that it did not get through. */
export type SendResult = 'saved' | { readonly refused: string };

/** Keeps wishes until the service has them: over lost connections and reloads of the page. */
export type Outbox = {
  readonly pending: readonly PendingWish[];
  add(wish: Wish): void;
  /** Tries one at once, also when it was refused. */
  retry(triggerId: string): void;
  /** Tries all that wait at once: the connection seems to be back. */
  retryAll(): void;
  discard(triggerId: string): void;
};

/** Waits between tries; the last one again and again. */
const RETRY_DELAYS_MS = [500, 1000, 2000, 4000, 8000] as const;

/**
 * Makes an outbox that begins with what `storage` kept. `send` must be safe to repeat: the trigger's id sees to it that a
 * wish sent twice is one clip.
 */
export function createOutbox(options: {
  readonly storage: { read(): string | null; write(text: string): void };
  readonly send: (wish: Wish) => Promise<SendResult>;
  readonly onChanged: () => void;
}): Outbox {
  const { storage, send, onChanged } = options;
  const boxes = new Map<string, Box>();
  const changed = (): void => {
    storage.write(JSON.stringify([...boxes.values()].map((box) => box.wish)));
    onChanged();
  };
  const attempt = async (box: Box): Promise<void> => {
    clearTimeout(box.timer);
    if (box.isSending) return;
    box.isSending = true;
    const result = await send(box.wish).catch(() => 'lost' as const);
    box.isSending = false;
    if (boxes.get(box.wish.triggerId) !== box) return;
    if (result === 'saved') boxes.delete(box.wish.triggerId);
    else if (result === 'lost') tryLater(box);
    else [box.state, box.reason] = ['refused', result.refused];
    changed();
  };
  const tryLater = (box: Box): void => {
    box.state = 'waiting';
    const delayMs = RETRY_DELAYS_MS[Math.min(box.tries++, RETRY_DELAYS_MS.length - 1)];
    box.timer = setTimeout(() => void attempt(box), delayMs);
  };
  const put = (wish: Wish): void => {
    const box: Box = { wish, state: 'sending', reason: null, tries: 0, isSending: false };
    boxes.set(wish.triggerId, box);
    void attempt(box);
  };
  for (const wish of readWishes(storage.read())) put(wish);
  return {
    get pending() {
      return [...boxes.values()].map(({ wish, state, reason }) => ({ wish, state, reason }));
    },
    add(wish) {
      put(wish);
      changed();
    },
    retry(triggerId) {
      const box = boxes.get(triggerId);
      if (box === undefined) return;
      Object.assign(box, { state: 'sending', reason: null });
      void attempt(box);
      changed();
    },
    retryAll() {
      for (const box of boxes.values()) if (box.state === 'waiting') void attempt(box);
    },
    discard(triggerId) {
      clearTimeout(boxes.get(triggerId)?.timer);
      boxes.delete(triggerId);
      changed();
    },
  };
}

type Box = {
  readonly wish: Wish;
  state: PendingWish['state'];
  reason: string | null;
  tries: number;
  isSending: boolean;
  timer?: ReturnType<typeof setTimeout>;
};

/** What an earlier page left; nothing where it cannot be read. */
function readWishes(text: string | null): Wish[] {
  try {
    const kept: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(kept) ? kept.filter(isWish) : [];
  } catch {
    return [];
  }
}

function isWish(value: unknown): value is Wish {
  const { triggerId, atMs, beforeMs, afterMs } = (value ?? {}) as Partial<Record<string, unknown>>;
  return typeof triggerId === 'string' && [atMs, beforeMs, afterMs].every(Number.isSafeInteger);
}
