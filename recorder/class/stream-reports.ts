import type { Log } from '../../src/log.ts';
import type { RecordingSource } from '../../src/model/recording.ts';
import type { SourceReport } from '../../src/model/source-report.ts';

/** A class that says of more streams than this is not believed any further: 25 at once, each replaced a few times. */
const MAX_REPORTS = 200;

/** What the built-in classroom says of its streams. A page that is not ours may say what it likes: it is not listened to. */
export class StreamReports {
  readonly #log: Log;
  readonly #isOurs: boolean;
  readonly #latest = new Map<string, SourceReport>();

  constructor(source: RecordingSource, log: Log) {
    this.#isOurs = source.kind === 'classroom';
    this.#log = log;
  }

  /** The latest of each stream. */
  get latest(): readonly SourceReport[] {
    return [...this.#latest.values()];
  }

  take(reports: readonly SourceReport[]): void {
    if (!this.#isOurs) return;
    for (const report of reports) {
      const name = `${report.role} ${report.participantId}`;
      this.#tell(this.#latest.get(name), report);
      if (this.#latest.has(name) || this.#latest.size < MAX_REPORTS) {
        this.#latest.set(name, report);
      }
    }
  }

  #tell(before: SourceReport | undefined, now: SourceReport): void {
    if (before?.state === now.state && before.error === now.error) return;
    const { participantId, role, state, error, detail } = now;
    const level = state === 'failed' ? 'warn' : 'debug';
    this.#log[level]({ event: 'source-state', participantId, role, state, error, detail });
  }
}
