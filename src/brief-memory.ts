/** Answers remembered at once: about 100 bytes each. */
const MAX_REMEMBERED = 10_000;

type Remembered<T> = { readonly answer: Promise<T>; readonly untilMs: number };

/** Answers that are believed for a moment, so that many who ask the same are one question. A failure is never remembered. */
export class BriefMemory<T> {
  readonly #options: {
    readonly ask: (id: string) => Promise<T>;
    /** How old an answer may be, from the moment it was asked for. */
    readonly ttlMs: number;
    readonly monotonicMs: () => number;
  };
  /** Oldest answer first. */
  readonly #remembered = new Map<string, Remembered<T>>();

  constructor(options: {
    readonly ask: (id: string) => Promise<T>;
    readonly ttlMs: number;
    readonly monotonicMs: () => number;
  }) {
    this.#options = options;
  }

  async get(id: string): Promise<T> {
    const { ask, ttlMs, monotonicMs } = this.#options;
    const nowMs = monotonicMs();
    const known = this.#remembered.get(id);
    if (known !== undefined && known.untilMs > nowMs) return known.answer;
    const remembered = { answer: ask(id), untilMs: nowMs + ttlMs };
    this.#remembered.delete(id);
    this.#remembered.set(id, remembered);
    this.#forgetOldest();
    try {
      return await remembered.answer;
    } catch (error) {
      if (this.#remembered.get(id) === remembered) this.#remembered.delete(id);
      throw error;
    }
  }

  /** The next question is asked anew. */
  forget(id: string): void {
    this.#remembered.delete(id);
  }

  #forgetOldest(): void {
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= MAX_REMEMBERED) return;
      this.#remembered.delete(oldest);
    }
  }
}
