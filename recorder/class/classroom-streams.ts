import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../src/log.ts';
import type { RecordingSource, StreamSource } from '../../src/model/recording.ts';
import type { SourceReport } from '../../src/model/source-report.ts';
import type { Page } from '../browser.ts';

/** A class that says of more streams than this is not believed any further: 25 at once, each replaced a few times. */
const MAX_REPORTS = 200;

/** The built-in classroom's streams: tells the page of changes, keeps what it says of them. Any other page has none. */
export class ClassroomStreams {
  readonly #log: Log;
  readonly #reports = new Map<string, SourceReport>();
  #source: RecordingSource;
  #page: Page | undefined;
  /** Whether they are no longer those the page was opened with. */
  #isChanged = false;

  constructor(source: RecordingSource, log: Log) {
    this.#source = source;
    this.#log = log;
  }

  /** The latest of each stream. A page that is not ours may say what it likes: it is not listened to. */
  get reports(): readonly SourceReport[] {
    return [...this.#reports.values()];
  }

  take(reports: readonly SourceReport[]): void {
    if (this.#source.kind !== 'classroom') return;
    for (const report of reports) {
      const name = `${report.role} ${report.participantId}`;
      this.#tell(this.#reports.get(name), report);
      if (this.#reports.has(name) || this.#reports.size < MAX_REPORTS) {
        this.#reports.set(name, report);
      }
    }
  }

  /** The page is open, with the streams that were asked for when it was opened. */
  shownBy(page: Page): void {
    this.#page = page;
    if (this.#isChanged) this.#send(page);
  }

  change(source: RecordingSource): void {
    const sources = sourcesOf(source);
    if (sources === undefined || isDeepStrictEqual(sources, sourcesOf(this.#source))) return;
    this.#source = source;
    this.#isChanged = true;
    if (this.#page !== undefined) this.#send(this.#page);
  }

  #send(page: Page): void {
    page
      .waitForFunction('window.chalkreelSources !== undefined')
      // whatever is the latest by then
      .then(() => {
        const sources = JSON.stringify(sourcesOf(this.#source));
        return page.evaluate(`window.chalkreelSources(${sources})`);
      })
      .then(
        () => this.#log.info({ event: 'sources-changed' }),
        (error: unknown) => this.#log.warn({ event: 'sources-not-changed', err: error }),
      );
  }

  #tell(before: SourceReport | undefined, now: SourceReport): void {
    if (before?.state === now.state && before.error === now.error) return;
    const { participantId, role, state, error, detail } = now;
    const level = state === 'failed' ? 'warn' : 'debug';
    this.#log[level]({ event: 'source-state', participantId, role, state, error, detail });
  }
}

function sourcesOf(source: RecordingSource): readonly StreamSource[] | undefined {
  return source.kind === 'classroom' ? source.classroom.sources : undefined;
}
