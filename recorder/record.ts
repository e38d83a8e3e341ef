import { EventEmitter } from 'node:events';
import { asChalkreelError, ChalkreelError } from '../src/errors.ts';
import { deferred, delay, Resources, withDeadline } from '../src/lifecycle.ts';
import type { Log } from '../src/log.ts';
import { boundaryAtOrAfter, boundaryAtOrBefore, segmentAt, SEGMENT_MS } from '../src/model/grid.ts';
import { describeContinuity, type Continuity } from '../src/model/continuity.ts';
import type { RecordingProgress } from '../src/model/progress.ts';
import type { RecordingSettings, RecordingSource } from '../src/model/recording.ts';
import type { ClassEvent } from '../src/protocol/class-event.ts';
import type { HighlightTrigger } from '../src/protocol/highlight-trigger.ts';
import type { ClassRecordingState } from '../src/protocol/signalling.ts';
import type { Page } from './browser.ts';
import { announceRecording } from './class/announce-recording.ts';
import { ClassroomLayout } from './class/classroom-layout.ts';
import { ClassroomStreams } from './class/classroom-streams.ts';
import { startCaptureWatch } from './capture-watch.ts';
import { startCapture, type Capture, type RecordingOrigin } from './capture.ts';
import type { FleetClock } from './fleet-clock.ts';
import { startLaps } from './report/laps.ts';
import { classroomUrl, openClassroom, waitUntilReady, type Readiness } from './open-classroom.ts';
import { installPageHandshake } from './page-handshake.ts';
import type { PageServer } from './page-server.ts';
import { startProgressMeter } from './report/progress.ts';
import type { PublishedCounts } from './publish/publish-queue.ts';
import { QualityWatch } from './report/quality-watch.ts';
import { Segmenter, type ClosedSegment } from './publish/segmenter.ts';
import { openSpool } from './publish/spool.ts';
import { holdBack } from './hold-back.ts';
import { startUsageMeter, type UsageMeter } from './report/usage.ts';

/** From the boundary that ends a recording to its last packet: three slots, the encoders' delays, some load. */
const END_TIMEOUT_MS = 5_000;
/** Media is held back for so long while makers of one recording agree on its origin. */
const ORIGIN_TIMEOUT_MS = 60_000;

/** Why a recording ended as it should. */
export type StopReason = 'stop-requested' | 'page-ended' | 'max-duration' | 'signal';

/** How a recording ended that had begun. */
export type RecordingOutcome = RecordingOrigin & {
  /** Why it stopped, or what ended it early; all that was recorded until then is published. */
  readonly end: { readonly reason: StopReason } | { readonly failure: ChalkreelError };
  /** When the end was asked for or came, Unix ms. */
  readonly endedAtMs: number;
  readonly segments: number;
  /** Segments begun and not completed, by number: holes. */
  readonly lost: readonly number[];
  readonly continuity: Continuity;
  readonly progress: RecordingProgress;
};

type RecordingEvents = {
  /** The first picture is kept: the recording exists from here on. */
  started: [RecordingOrigin & { readonly readiness: Readiness; readonly page: Page }];
  stopping: [StopReason];
  progress: [RecordingProgress];
  highlight: [HighlightTrigger];
  classEvent: [ClassEvent];
  warning: [string];
};

/** Where a run's closed segments go, in order of number. */
export type SegmentSink = {
  add(segment: ClosedSegment): void;
  readonly published: PublishedCounts;
  /** Resolves when all that was added is published. */
  settled(): Promise<void>;
};

/** The origin all makers of a recording share. `isOurs`: this run's own, so its first segment, lead-in included, is the first of all. */
export type AgreedOrigin = { readonly originMs: number; readonly isOurs: boolean };

export type RecordOptions = {
  readonly source: RecordingSource;
  readonly settings: RecordingSettings;
  /** Settles the recording's origin, given this run's own; without it that one stands. */
  readonly agreeOrigin?: ((captured: RecordingOrigin) => Promise<AgreedOrigin>) | undefined;
  readonly chromium: string;
  /** Folder for this recording's unpublished segments and Chrome's profile. */
  readonly workDir: string;
  readonly pages: PageServer;
  readonly clock: FleetClock;
  readonly sink: SegmentSink;
  /** Follows the number in the names of the spool's files. */
  readonly spoolSuffix?: string;
  readonly log: Log;
  /** For tests and benches: lays sound so much too late, ms. */
  readonly soundSkewMs?: number | undefined;
};

/**
 * One recording, from the launch of its Chrome to its last published segment. `run` throws what kept it from
 * beginning; once begun it resolves to an outcome, and Chrome is gone then.
 */
export class RecordingRun extends EventEmitter<RecordingEvents> {
  readonly #options: RecordOptions;
  readonly #stop = deferred<StopReason>();
  readonly #ready = deferred();
  readonly #failed = deferred<never>();
  readonly #abort = new AbortController();
  readonly #resources = new Resources();
  readonly #quality: QualityWatch;
  readonly #streams: ClassroomStreams;
  readonly #layout: ClassroomLayout;
  #stoppedAtMs: number | undefined;
  /** The boundary it ends at, once that is known, Unix ms. */
  #endMs: number | undefined;
  #capture: Capture | undefined;
  #segmenter: Segmenter | undefined;

  constructor(options: RecordOptions) {
    super();
    this.#options = options;
    this.#quality = this.#resources.use(new QualityWatch(() => options.clock.nowMs()));
    this.#streams = new ClassroomStreams(options.source, options.log);
    this.#layout = new ClassroomLayout(options.source, options.log);
  }

  /** Asks for the end; recorded to the next boundary. Only the first call counts. */
  stop(reason: StopReason): void {
    this.#stoppedAtMs ??= this.#options.clock.nowMs();
    this.#stop.resolve(reason);
  }

  /** Shows the class's streams as they are now, arranged as they are to be; the same again changes nothing. */
  changeSource(source: RecordingSource): void {
    this.#layout.change(source);
    this.#streams.change(source);
  }

  /** Ends the run at once, without waiting for anything: Chrome is killed, what is unfinished stays in the spool. */
  abandon(why: ChalkreelError): void {
    this.#failed.reject(why);
    this.#capture?.browser.kill();
  }

  async run(): Promise<RecordingOutcome | 'stopped-before-start'> {
    const usage = startUsageMeter();
    this.#resources.defer(usage.stop);
    // What has failed need not end properly.
    this.#failed.promise.catch(() => this.#capture?.browser.kill());
    try {
      const stoppedEarly = this.#stop.promise.then(() => undefined);
      const opened = await Promise.race([this.#open(), this.#failed.promise, stoppedEarly]);
      if (opened === undefined) return 'stopped-before-start';
      return await this.#record(opened, usage);
    } finally {
      await this.#segmenter?.leave();
      this.#abort.abort(new Error('the recording has ended'));
      await this.#resources.close();
    }
  }

  /** Starts Chrome and its capture, opens the classroom in the captured tab, waits until it is ready. */
  async #open(): Promise<{ readonly capture: Capture; readonly readiness: Readiness }> {
    const { settings, source, pages, log, workDir } = this.#options;
    const laps = startLaps();
    const capture = await startCapture({ ...this.#options, profileDir: `${workDir}/chrome` });
    this.#resources.use(capture);
    this.#capture = capture;
    laps.end('captureMs');
    capture.once('failed', this.#failed.reject);
    this.#resources.use(startCaptureWatch(capture, this.#failed.reject));
    // A stop that came meanwhile has closed everything that was open then.
    if (this.#abort.signal.aborted) await capture.close();
    const page = capture.browser.classroom;
    page.once('error', () => {
      this.#failed.reject(
        new ChalkreelError('page-crashed', 'url: the page crashed', { fault: 'input' }),
      );
    });
    await installPageHandshake(page, this.#handshake(), log);
    await openClassroom(page, classroomUrl(source, pages));
    this.#layout.shownBy(page);
    this.#streams.shownBy(page);
    laps.end('openMs');
    const signalled = this.#ready.promise;
    const signal = this.#abort.signal;
    const readiness = await waitUntilReady(page, { settings, signalled, signal });
    laps.end('readyMs');
    log.info({ event: 'classroom-ready', readiness, ...laps.times }, 'the classroom is ready');
    if (readiness === 'deadline') {
      const seconds = settings.readinessTimeoutMs / 1000;
      this.emit('warning', `the page was not ready within ${seconds} s; recording began anyway`);
    }
    return { capture, readiness };
  }

  #handshake(): Parameters<typeof installPageHandshake>[1] {
    return {
      onReady: this.#ready.resolve,
      onEnd: () => {
        this.stop('page-ended');
      },
      onHighlight: (trigger) => this.emit('highlight', trigger),
      onClassEvent: (event) => this.emit('classEvent', event),
      onBeat: (standingMs) => {
        this.#quality.beat(standingMs);
      },
      onSources: (reports) => {
        this.#streams.take(reports);
      },
    };
  }

  async #record(
    { capture, readiness }: { readonly capture: Capture; readonly readiness: Readiness },
    usage: UsageMeter,
  ): Promise<RecordingOutcome> {
    const { sink } = this.#options;
    const meter = startProgressMeter({
      groupId: capture.browser.pid,
      usage,
      nowMs: () => this.#options.clock.nowMs(),
      stats: () => capture.stats,
      spans: (untilMs) => this.#quality.read(untilMs),
      streams: () => this.#streams.reports,
      published: () => sink.published,
      onProgress: (progress) => this.emit('progress', progress),
    });
    this.#resources.use(meter);
    const origin = await Promise.race([this.#begin(capture), this.#failed.promise]);
    const page = capture.browser.classroom;
    this.emit('started', { ...origin, readiness, page });
    this.#announce('started');
    const end = await this.#untilEnd(capture, origin);
    const endedAtMs = this.#stoppedAtMs ?? this.#options.clock.nowMs();
    await this.#segmenter?.settled();
    await sink.settled();
    const lost = this.#segmenter?.unfinished ?? [];
    return {
      ...origin,
      end,
      endedAtMs,
      segments: sink.published.segments,
      lost,
      continuity: describeContinuity([], lost),
      progress: await meter.read(this.#endMs),
    };
  }

  /** Begins with the picture the page shows now, and lays all that comes from then on on the grid. */
  async #begin(capture: Capture): Promise<RecordingOrigin> {
    const { settings, workDir, spoolSuffix, sink } = this.#options;
    const spool = await openSpool(`${workDir}/spool`, spoolSuffix);
    const early = holdBack(capture);
    const captured = await early.origin;
    const { originMs, isOurs } = await this.#agreeOrigin(captured);
    const firstNumber = segmentAt(captured.originMs, originMs);
    const segmenter = new Segmenter({
      settings,
      originMs,
      firstNumber,
      // The part of a segment before the first picture is somebody else's, or a hole: it goes on at the next boundary.
      fromNumber: isOurs ? firstNumber : firstNumber + 1,
      spool,
      onSegmentClosed: (segment) => {
        sink.add(segment);
      },
      onFailed: this.#failed.reject,
    });
    this.#segmenter = segmenter;
    this.#quality.begin(originMs, captured.firstFrameMs);
    early.release({
      onMedia: (message) => {
        segmenter.take(message);
      },
      onSpan: (kind, startMs, endMs) => {
        this.#quality.take(kind, startMs, endMs);
      },
    });
    return { ...captured, originMs };
  }

  /** Any other page tells its class itself. */
  #announce(state: ClassRecordingState): void {
    const { source, log } = this.#options;
    if (source.kind !== 'classroom' || this.#capture === undefined) return;
    announceRecording(this.#capture.browser.classroom, state, log);
  }

  async #agreeOrigin(captured: RecordingOrigin): Promise<AgreedOrigin> {
    const { agreeOrigin } = this.#options;
    if (agreeOrigin === undefined) return { originMs: captured.originMs, isOurs: true };
    return withDeadline(
      Promise.race([agreeOrigin(captured), this.#failed.promise]),
      ORIGIN_TIMEOUT_MS,
      () => asChalkreelError('the origin could not be settled in time', 'origin-timeout'),
    );
  }

  /** Waits for a reason to end, then for the boundary and everything before it. Failures end it early. */
  async #untilEnd(capture: Capture, origin: RecordingOrigin): Promise<RecordingOutcome['end']> {
    const { settings, clock } = this.#options;
    // Of the whole recording, whichever workers made it; a first worker's lead-in is not counted.
    const beganAtMs =
      boundaryAtOrBefore(origin.firstFrameMs) === origin.originMs
        ? origin.firstFrameMs
        : origin.originMs;
    const leftMs = Math.max(0, settings.maxDurationMs - (clock.nowMs() - beganAtMs));
    const full = delay(leftMs, this.#abort.signal).then(() => {
      this.stop('max-duration');
    });
    full.catch(() => undefined);
    try {
      const reason = await Promise.race([this.#stop.promise, this.#failed.promise]);
      this.emit('stopping', reason);
      this.#announce('stopped');
      const endMs = Math.max(boundaryAtOrAfter(clock.nowMs()), origin.originMs + SEGMENT_MS);
      const ended = new Promise<void>((resolve) => capture.once('ended', resolve));
      this.#endMs = endMs;
      capture.stopAt(endMs);
      const timeoutMs = endMs - clock.nowMs() + END_TIMEOUT_MS;
      await withDeadline(Promise.race([ended, this.#failed.promise]), timeoutMs, () =>
        asChalkreelError(
          `capture did not end within ${END_TIMEOUT_MS} ms of its boundary`,
          'end-timeout',
        ),
      );
      return { reason };
    } catch (error) {
      return { failure: asChalkreelError(error) };
    }
  }
}
