import type { WebSocket } from 'ws';
import type { Closable } from '../lifecycle.ts';
import { MAX_BATCH, type ServerMessage } from '../protocol/signalling.ts';

/** In a busy class everybody is told of everything this often, in one message: 1 000 who join in 10 s are not a million messages. */
const INTERVAL_MS = 100;
/** More than this is not kept together, bytes. */
const MAX_WAITING_BYTES = 128 * 1024;
/** A client that lets this many bytes pile up is cut off: it would only fall further behind. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
const OPEN = 1;
/** RFC 6455 §7.4.1. */
const CLOSE_POLICY = 1008;

/** Tells all who have joined: what happens alone at once, what follows within 100 ms together. Everybody gets the same bytes. */
export class Broadcast implements Closable {
  /** `from`: the first waiting message that came after this one had joined. */
  readonly #listeners = new Map<string, { readonly socket: WebSocket; from: number }>();
  #waiting: string[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  /** Since anything was told, ms. */
  get silentMs(): number {
    return performance.now() - this.#toldAtMs;
  }

  /** Tells somebody of all that happens from now on. */
  add(connection: string, socket: WebSocket): void {
    this.#listeners.set(connection, { socket, from: this.#waiting.length });
  }

  remove(connection: string): void {
    this.#listeners.delete(connection);
  }

  tell(message: ServerMessage): void {
    const text = JSON.stringify(message);
    this.#waiting.push(text);
    this.#waitingBytes += Buffer.byteLength(text);
    const waitMs = INTERVAL_MS - this.silentMs;
    const isFull = this.#waiting.length >= MAX_BATCH || this.#waitingBytes > MAX_WAITING_BYTES;
    if (waitMs <= 0 || isFull) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), waitMs);
  }

  close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#listeners.clear();
    return Promise.resolve();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#toldAtMs = performance.now();
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    const written = new Map<number, Buffer>();
    for (const listener of this.#listeners.values()) {
      const { socket, from } = listener;
      listener.from = 0;
      if (from >= waiting.length) continue;
      const bytes = written.get(from) ?? Buffer.from(writeTogether(waiting.slice(from)));
      written.set(from, bytes);
      sendText(socket, bytes);
    }
  }
}

/** Sends a text message, unless too much waits for whoever it is for: then they are cut off. */
export function sendText(socket: WebSocket, text: Buffer | string): void {
  if (socket.readyState !== OPEN) return;
  if (socket.bufferedAmount > MAX_UNSENT_BYTES) socket.close(CLOSE_POLICY, 'too slow');
  else socket.send(text, { binary: false });
}

function writeTogether(texts: readonly string[]): string {
  const [first = '', ...others] = texts;
  return others.length === 0 ? first : `{"type":"batch","messages":[${texts.join(',')}]}`;
}
