import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../src/log.ts';
import { layoutChoiceOf, type LayoutChoice } from '../../src/model/layout.ts';
import type { RecordingSource } from '../../src/model/recording.ts';
import type { Page } from '../browser.ts';

/** How the platform wants the built-in classroom arranged: tells its page of changes at once. Any other page arranges itself. */
export class ClassroomLayout {
  readonly #log: Log;
  #choice: LayoutChoice | undefined;
  #page: Page | undefined;
  /** Whether it is no longer what the page was opened with. */
  #isChanged = false;

  constructor(source: RecordingSource, log: Log) {
    this.#choice = choiceIn(source);
    this.#log = log;
  }

  /** The page is open, with the choice that stood when it was opened. */
  shownBy(page: Page): void {
    this.#page = page;
    if (this.#isChanged) this.#send(page);
  }

  change(source: RecordingSource): void {
    const choice = choiceIn(source);
    if (isDeepStrictEqual(choice, this.#choice)) return;
    this.#choice = choice;
    this.#isChanged = true;
    if (this.#page !== undefined) this.#send(this.#page);
  }

  #send(page: Page): void {
    this.#tell(page)
      .then(async (isHeard) => {
        if (isHeard) return;
        // its scripts have not run yet: it is told whatever is the latest by then
        await page.waitForFunction('window.chalkreelLayout !== undefined');
        await this.#tell(page);
      })
      .then(
        () => this.#log.info({ event: 'layout-changed', ...this.#choice }),
        (error: unknown) => this.#log.warn({ event: 'layout-not-changed', err: error }),
      );
  }

  async #tell(page: Page): Promise<boolean> {
    const choice = JSON.stringify(this.#choice);
    const isThere = 'window.chalkreelLayout !== undefined';
    return (await page.evaluate(
      `${isThere} && (window.chalkreelLayout(${choice}), true)`,
    )) as boolean;
  }
}

function choiceIn(source: RecordingSource): LayoutChoice | undefined {
  return source.kind === 'classroom' ? layoutChoiceOf(source.classroom) : undefined;
}
