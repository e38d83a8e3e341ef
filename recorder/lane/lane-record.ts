import type { Log } from '../../src/log.ts';
import { readProgress, type RecordingProgress } from '../../src/model/progress.ts';
import {
  enterOwner,
  enterState,
  type Recording,
  type RecordingState,
} from '../../src/model/recording.ts';
import type { Lease } from '../../src/queue/leases.ts';
import type { Services } from '../../src/queue/open-services.ts';
import { EventChunks } from '../../src/storage/events/event-chunks.ts';
import type { RecordingOrigin } from '../capture.ts';
import { keepClassMoments } from '../class/class-moments.ts';
import { EventsLog } from '../class/events-log.ts';
import type { AgreedOrigin, RecordingRun } from '../record.ts';
import { leadInMs } from '../report/report.ts';
import { retried } from '../retried.ts';
import { countEarlier, withEarlier, type EarlierWork } from '../report/whole-recording.ts';

export type LaneRecordOptions = {
  readonly recording: Recording;
  readonly services: Services;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Aborts when the lane is over for this worker: what could not be written until then is not any more. */
  readonly signal: AbortSignal;
};

/** Writes down how one lane of a recording goes, in the recording's record. Trouble with that never ends it. */
export class LaneRecord {
  readonly #options: LaneRecordOptions;
  #originMs: number | null;
  #earlier: EarlierWork = { segments: 0, bytes: 0, progress: undefined };
  #latest: RecordingProgress | undefined;
  #changes: Promise<void> = Promise.resolve();
  /** Of every run so far: one that is over may still have something to write. */
  readonly #logs: EventsLog[] = [];

  constructor(options: LaneRecordOptions) {
    this.#options = options;
    this.#originMs = options.recording.originMs;
  }

  /** The recording's origin, as far as this worker knows. */
  get originMs(): number | null {
    return this.#originMs;
  }

  /** Settles the origin: whoever has the first picture sets it, all others read it. */
  async agreeOrigin(captured: RecordingOrigin): Promise<AgreedOrigin> {
    if (this.#originMs !== null) return { originMs: this.#originMs, isOurs: false };
    let isOurs = false;
    let isAgain = false;
    const agreed = await this.#update((present) => {
      // The answer to a try that succeeded may be lost.
      isOurs = present.originMs === null || (isAgain && present.originMs === captured.originMs);
      isAgain = true;
      if (present.originMs !== null) return present;
      return { ...present, originMs: captured.originMs, leadInMs: leadInMs(captured) };
    });
    this.#originMs = agreed.originMs ?? captured.originMs;
    return { originMs: this.#originMs, isOurs };
  }

  /** This worker makes the lane now. */
  enterOwner({ lane, workerId, epoch }: Lease): void {
    const sinceMs = this.#nowMs();
    this.#change('owner', (r) => enterOwner(r, { lane, workerId, epoch, sinceMs }));
  }

  /** Counts what was made before, so that this lane's numbers go on from there. */
  async loadEarlier(): Promise<void> {
    const { recording, services, signal } = this.#options;
    const { id } = recording;
    const entries = await retried(() => services.segments.readAll(id), signal);
    const progress = await retried(() => services.recordings.findProgress(id), signal);
    this.#earlier = countEarlier(entries, progress);
  }

  /** A run is over, and another one follows: its numbers are earlier ones from now on. */
  endRun(): void {
    if (this.#latest === undefined) return;
    this.#earlier = { ...this.#earlier, progress: this.#latest };
    this.#latest = undefined;
  }

  /** A run's numbers with all that was made before. */
  whole(progress: RecordingProgress): RecordingProgress {
    return withEarlier(progress, this.#earlier);
  }

  enter(state: RecordingState, change: { reason?: string; detail?: string } = {}): void {
    const atMs = this.#nowMs();
    this.#change(state, (r) => enterState(r, { state, atMs, ...change }));
  }

  /** It is being recorded, if it was not so far. */
  enterRecording(change: { detail?: string } = {}): void {
    const atMs = this.#nowMs();
    this.#change('recording', (r) =>
      r.state === 'queued' || r.state === 'starting'
        ? enterState(r, { state: 'recording', atMs, ...change })
        : r,
    );
  }

  /** Resolves when every change of the record so far, and all that was heard of the class, is written, or given up. */
  async written(): Promise<void> {
    await Promise.all([this.#changes, ...this.#logs.map((log) => log.settled())]);
  }

  warn(warning: string): void {
    const { log } = this.#options;
    log.warn({ event: 'warning', warning });
    this.#change('warning', (r) => ({ ...r, warnings: [...r.warnings, warning] }));
  }

  /** Hears a run under a lease. `isLeading`: its states and numbers are the recording's. `isLeaving`: its end is not the recording's end. */
  listen(
    run: RecordingRun,
    {
      lease,
      isLeading,
      isLeaving,
    }: {
      readonly lease: Pick<Lease, 'lane' | 'epoch'>;
      readonly isLeading: () => boolean;
      readonly isLeaving: () => boolean;
    },
  ): void {
    const { recording, services, log } = this.#options;
    run.on('started', ({ readiness }) => {
      if (isLeading()) this.enterRecording({ detail: `ready by ${readiness}` });
    });
    run.on('stopping', (reason) => {
      if (isLeading() && !(reason === 'signal' && isLeaving())) this.enter('stopping', { reason });
    });
    run.on('progress', (ofRun) => {
      this.#latest = this.whole(ofRun);
      log.debug({ event: 'progress', ...readProgress(this.#latest) });
      if (!isLeading()) return;
      const progress = this.#latest;
      // Only the newest counts: it is not tried again.
      void this.#write('progress', () => services.recordings.setProgress(recording.id, progress));
    });
    run.on('warning', (warning) => {
      this.warn(warning);
    });
    keepClassMoments(run, { ...this.#options, requestHighlight: services.requestHighlight });
    const chunks = new EventChunks(services.store, recording.id, lease);
    const events = new EventsLog({ ...this.#options, sink: (lines) => chunks.put(lines) });
    events.follow(run);
    this.#logs.push(events);
  }

  #nowMs(): number {
    return Math.round(this.#options.nowMs());
  }

  #update(change: (recording: Recording) => Recording): Promise<Recording> {
    const { recording, services, signal } = this.#options;
    return retried(() => services.recordings.update(recording.id, change), signal);
  }

  /** One after the other, so that an older state never comes after a newer one. */
  #change(what: string, change: (recording: Recording) => Recording): void {
    this.#changes = this.#changes.then(() => this.#write(what, () => this.#update(change)));
  }

  async #write(what: string, work: () => Promise<unknown>): Promise<void> {
    const { log, signal } = this.#options;
    try {
      await work();
    } catch (error) {
      if (!signal.aborted) log.warn({ event: 'not-written', what, err: error });
    }
  }
}
