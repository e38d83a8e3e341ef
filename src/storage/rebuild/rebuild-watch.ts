import { delay, type Closable } from '../../lifecycle.ts';
import { asChalkreelError } from '../../errors.ts';
import { findGeneration, rebuilding } from './generation.ts';
import { rebuild, type RebuildOptions } from './rebuild.ts';

/** How often each process looks whether Redis is still whole. */
const LOOK_MS = 1_000;
/** While somebody else rebuilds. */
const WAIT_MS = 50;

type WatchOptions = Omit<RebuildOptions, 'signal'> & {
  /** Only looks. */
  readonly isObserver: boolean;
};

/** Looks after Redis being whole, in each process of the fleet: whoever finds it emptied first brings it back. */
export class RebuildWatch implements Closable {
  readonly #options: WatchOptions;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #lastFailure: string | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Resolves when Redis is whole as far as what is open goes, and goes on looking each second. */
  async start(): Promise<void> {
    if (this.#options.isObserver) return;
    this.#timer = setInterval(() => {
      this.look();
    }, LOOK_MS);
    this.#timer.unref();
    this.look();
    while ((await findGeneration(this.#options.redis)) === undefined) {
      await delay(WAIT_MS, this.#closing.signal);
      // Whoever was at it may have died.
      this.look();
    }
  }

  /** Looks now, and rebuilds if need be, in the background. */
  look(): void {
    if (this.#options.isObserver || this.#closing.signal.aborted) return;
    this.#running ??= this.#rebuild().finally(() => {
      this.#running = undefined;
    });
  }

  /**
   * For a record that Redis does not have: brings it back when what is over is not back yet. Resolves to whether it may be there now. Throws
   * `rebuilding` while nobody can know.
   */
  async recover(restore: (fence: string) => Promise<unknown>): Promise<boolean> {
    const generation = await findGeneration(this.#options.redis);
    if (generation === undefined) {
      this.look();
      throw rebuilding();
    }
    if (generation.isComplete || this.#options.isObserver) return true;
    await restore(generation.id);
    return true;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort(new Error('closed'));
    await this.#running;
  }

  async #rebuild(): Promise<void> {
    const signal = this.#closing.signal;
    try {
      await rebuild({ ...this.#options, signal });
      this.#lastFailure = undefined;
    } catch (error) {
      // Tried again each second: said once.
      const { message } = asChalkreelError(error);
      if (message === this.#lastFailure || signal.aborted) return;
      this.#lastFailure = message;
      this.#options.log.warn({ event: 'rebuild-failed', err: error });
    }
  }
}
