import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../src/log.ts';
import type { Page } from '../browser.ts';

export type PageValueOptions<T> = {
  /** The built-in classroom's function that takes the value (recorder/classroom/globals.ts). */
  readonly hook: 'chalkreelLayout' | 'chalkreelSources';
  /** What the page is opened with. */
  readonly value: T;
  readonly log: Log;
};

/** Something the built-in classroom shows and the platform may change: its page is told at once, and only ever of the latest. */
export class PageValue<T> {
  readonly #options: PageValueOptions<T>;
  #value: T;
  #page: Page | undefined;
  /** Whether it is no longer what the page was opened with. */
  #isChanged = false;

  constructor(options: PageValueOptions<T>) {
    this.#options = options;
    this.#value = options.value;
  }

  /** The page is open, with the value that stood when it was opened. */
  shownBy(page: Page): void {
    this.#page = page;
    if (this.#isChanged) this.#send(page);
  }

  /** The same again changes nothing. */
  change(value: T): void {
    if (isDeepStrictEqual(value, this.#value)) return;
    this.#value = value;
    this.#isChanged = true;
    if (this.#page !== undefined) this.#send(this.#page);
  }

  #send(page: Page): void {
    const { hook, log } = this.#options;
    this.#tell(page)
      .then(async (isHeard) => {
        if (isHeard) return;
        // Its scripts have not run yet: it is told whatever is the latest by then.
        await page.waitForFunction(`window.${hook} !== undefined`);
        await this.#tell(page);
      })
      .then(
        () => log.info({ event: 'class-changed', hook }),
        (error: unknown) => log.warn({ event: 'class-not-changed', hook, err: error }),
      );
  }

  async #tell(page: Page): Promise<boolean> {
    const { hook } = this.#options;
    const call = `window.${hook} !== undefined && (window.${hook}(${JSON.stringify(this.#value)}), true)`;
    return (await page.evaluate(call)) as boolean;
  }
}
