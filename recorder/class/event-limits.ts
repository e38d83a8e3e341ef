/** A page is not trusted. A class of a thousand takes a tenth of the rate; who joins it late is told of all of them at once. */
const EVENTS_PER_SECOND = 300;
const EVENTS_AT_ONCE = 6_000;
const BYTES_PER_SECOND = 128 * 1024;
const BYTES_AT_ONCE = 4 * 1024 * 1024;
/** What one browser may have in a recording's log: two hours at 50 chats a second, and the log is joined in memory. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Why an event is not taken: too many in a short time, or too much in all. */
export type Refusal = 'rate' | 'size';

/** How much a recorded page may write into the log. */
export class EventLimits {
  readonly #nowMs: () => number;
  readonly #events: Bucket;
  readonly #bytes: Bucket;
  #left = MAX_BYTES;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#events = new Bucket(EVENTS_AT_ONCE, EVENTS_PER_SECOND);
    this.#bytes = new Bucket(BYTES_AT_ONCE, BYTES_PER_SECOND);
  }

  /** Takes an event of so many bytes, or says why not. */
  refuse(bytes: number): Refusal | undefined {
    if (bytes > this.#left) return 'size';
    const nowMs = this.#nowMs();
    if (!this.#events.has(1, nowMs) || !this.#bytes.has(bytes, nowMs)) return 'rate';
    this.#events.take(1);
    this.#bytes.take(bytes);
    this.#left -= bytes;
    return undefined;
  }
}

/** Fills with time. */
class Bucket {
  readonly #most: number;
  readonly #perSecond: number;
  #left: number;
  #seenMs: number | undefined;

  constructor(most: number, perSecond: number) {
    this.#most = most;
    this.#perSecond = perSecond;
    this.#left = most;
  }

  has(amount: number, nowMs: number): boolean {
    const earned = (Math.max(0, nowMs - (this.#seenMs ?? nowMs)) * this.#perSecond) / 1000;
    this.#left = Math.min(this.#most, this.#left + earned);
    this.#seenMs = nowMs;
    return this.#left >= amount;
  }

  take(amount: number): void {
    this.#left -= amount;
  }
}
