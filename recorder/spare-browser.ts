import { withDeadline, type Closable } from '../src/lifecycle.ts';
import type { Log } from '../src/log.ts';
import type { PictureSize, RecorderBrowser } from './browser.ts';

/** The next one is launched so long after one was taken: a class that begins needs the CPU. Where there is none to spare, as much later. */
const NEXT_AFTER_MS = 10_000;
/** After one failed or died. */
const RETRY_AFTER_MS = 60_000;
/** One that has waited so long is replaced: whatever Chrome gathers while it idles goes with it. */
const RENEW_AFTER_MS = 3_600_000;
/** One that does not answer within this is not handed out. */
const ANSWER_TIMEOUT_MS = 5_000;

export type SpareBrowserOptions = {
  /** Opens one, in a place of its own. */
  readonly open: () => Promise<RecorderBrowser>;
  /** Whether a launch would do no harm to what is being recorded. The first one is not asked about. */
  readonly hasHeadroom: () => boolean;
  readonly log: Log;
};

/**
 * Keeps one Chrome open for the class that comes next, so that none has to wait for a launch: neither one that begins, nor one whose worker
 * or browser has died. Each is used once. Closing ends the one that waits; those handed out are their takers'.
 */
export class SpareBrowser implements Closable {
  readonly #options: SpareBrowserOptions;
  /** Undefined when it could not be opened. */
  #waiting: Promise<RecorderBrowser | undefined> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: SpareBrowserOptions) {
    this.#options = options;
    this.#prepare();
  }

  /** The one that waits, or is just being launched; the taker closes it. Undefined when there is none, or it does not answer. */
  async take(size: PictureSize): Promise<RecorderBrowser | undefined> {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#prepareIn(NEXT_AFTER_MS);
    const browser = await waiting;
    if (browser === undefined) return undefined;
    try {
      const late = (): Error => new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`);
      await withDeadline(browser.resize(size), ANSWER_TIMEOUT_MS, late);
      return browser;
    } catch (error) {
      this.#tellFailure(error);
      await browser.close();
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#drop();
    await this.#ended;
  }

  #prepareIn(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      if (this.#options.hasHeadroom()) this.#prepare();
      else this.#prepareIn(NEXT_AFTER_MS);
    }, ms);
  }

  /** Opens one, in the place of whichever waits. */
  #prepare(): void {
    this.#drop();
    const waiting = this.#options.open().catch((error: unknown) => {
      this.#tellFailure(error);
      return undefined;
    });
    this.#waiting = waiting;
    this.#prepareIn(RENEW_AFTER_MS);
    void waiting
      .then((browser) => browser?.gone)
      .then(() => {
        // It failed, or died while it waited.
        if (this.#waiting === waiting) this.#prepareIn(RETRY_AFTER_MS);
      });
  }

  #drop(): void {
    const closed = this.#waiting?.then((browser) => browser?.close()).catch(() => undefined);
    this.#waiting = undefined;
    this.#ended = Promise.all([this.#ended, closed]).then(() => undefined);
  }

  #tellFailure(error: unknown): void {
    this.#options.log.warn({ event: 'spare-browser-failed', err: error });
  }
}
