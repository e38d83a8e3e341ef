import type { Log } from '../../src/log.ts';
import { layoutChoiceOf, type LayoutChoice } from '../../src/model/layout.ts';
import type { RecordingSource, StreamSource } from '../../src/model/recording.ts';
import type { ClassRecordingState } from '../../src/protocol/signalling.ts';
import type { Page } from '../browser.ts';
import { announceRecording } from './announce-recording.ts';
import { PageValue } from './page-value.ts';

/**
 * The built-in classroom as it is to be shown: tells its page what the platform changes, and the class that it is recorded. Any other page shows
 * what it likes.
 */
export class ShownClass {
  readonly #log: Log;
  readonly #isOurs: boolean;
  readonly #layout: PageValue<LayoutChoice | undefined>;
  readonly #streams: PageValue<readonly StreamSource[] | undefined>;

  #page: Page | undefined;

  constructor(source: RecordingSource, log: Log) {
    this.#log = log;
    this.#isOurs = source.kind === 'classroom';
    this.#layout = new PageValue({ hook: 'chalkreelLayout', value: layoutIn(source), log });
    this.#streams = new PageValue({ hook: 'chalkreelSources', value: streamsIn(source), log });
  }

  /** The page is open, as the source was when it was opened. */
  shownBy(page: Page): void {
    this.#page = page;
    this.#layout.shownBy(page);
    this.#streams.shownBy(page);
  }

  /** Of the same kind as before; the same again changes nothing. */
  change(source: RecordingSource): void {
    this.#layout.change(layoutIn(source));
    this.#streams.change(streamsIn(source));
  }

  /** Has the class told that it is being recorded, or no longer. Any other page tells its class itself. */
  announce(state: ClassRecordingState): void {
    if (this.#isOurs && this.#page !== undefined) announceRecording(this.#page, state, this.#log);
  }
}

function layoutIn(source: RecordingSource): LayoutChoice | undefined {
  return source.kind === 'classroom' ? layoutChoiceOf(source.classroom) : undefined;
}

function streamsIn(source: RecordingSource): readonly StreamSource[] | undefined {
  return source.kind === 'classroom' ? source.classroom.sources : undefined;
}
