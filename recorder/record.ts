import { EventEmitter } from 'node:events';
import { asChalkreelError, type ChalkreelError } from '../src/errors.ts';
import { deferred, delay, Resources, withDeadline } from '../src/lifecycle.ts';
import type { Log } from '../src/log.ts';
import { boundaryAtOrAfter, segmentAt, SEGMENT_MS } from '../src/model/grid.ts';
import { describeContinuity, type Continuity } from '../src/model/continuity.ts';
import type { RecordingProgress } from '../src/model/progress.ts';
import type { RecordingSettings, RecordingSource } from '../src/model/recording.ts';
import type { ClassEvent } from '../src/protocol/class-event.ts';
import type { HighlightTrigger } from '../src/protocol/highlight-trigger.ts';
import type { Page } from './browser.ts';
import { ShownClass } from './class/shown-class.ts';
import { StreamReports } from './class/stream-reports.ts';
import { startCaptureWatch } from './capture-watch.ts';
import { startCapture, type Capture, type RecordingOrigin } from './capture.ts';
import type { TakeSpare } from './capture-browser.ts';
import { endCapture, timeLeftMs } from './end-capture.ts';
import { enterClass } from './enter-class.ts';
import type { FleetClock } from './fleet-clock.ts';
import { startLaps } from './report/laps.ts';
import type { Readiness } from './open-classroom.ts';
import type { PageHandshakeHandlers } from './page-handshake.ts';
import type { PageServer } from './page-server.ts';
import { startProgressMeter } from './report/progress.ts';
import type { SegmentSink } from './publish/segment-sink.ts';
import { QualityWatch } from './report/quality-watch.ts';
import { Segmenter } from './publish/segmenter.ts';
import { openSpool } from './publish/spool.ts';
import { holdBack } from './hold-back.ts';
import { startUsageMeter, type UsageMeter } from './report/usage.ts';

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
  readonly takeSpare?: TakeSpare | undefined;
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
  readonly #shown: ShownClass;
  readonly #streams: StreamReports;
  #stoppedAtMs: number | undefined;
  /** The boundary it ends at, once that is known, Unix ms. */
  #endMs: number | undefined;
  #capture: Capture | undefined;
  #segmenter: Segmenter | undefined;

  constructor(options: RecordOptions) {
    super();
    this.#options = options;
    this.#quality = this.#resources.use(new QualityWatch(() => options.clock.nowMs()));
    this.#shown = new ShownClass(options.source, options.log);
    this.#streams = new StreamReports(options.source, options.log);
  }

  /** Asks for the end; recorded to the next boundary. Only the first call counts. */
  stop(reason: StopReason): void {
    this.#stoppedAtMs ??= this.#options.clock.nowMs();
    this.#stop.resolve(reason);
  }

  /** Shows the class's streams as they are now, arranged as they are to be; the same again changes nothing. */
  changeSource(source: RecordingSource): void {
    this.#shown.change(source);
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
    const { settings, log, workDir } = this.#options;
    const laps = startLaps();
    const capture = await startCapture({ ...this.#options, profileDir: `${workDir}/chrome` });
    this.#resources.use(capture);
    this.#capture = capture;
    laps.end('captureMs');
    capture.once('failed', this.#failed.reject);
    this.#resources.use(startCaptureWatch(capture, this.#failed.reject));
    // A stop that came meanwhile has closed everything that was open then.
    if (this.#abort.signal.aborted) await capture.close();
    const { pid, classroom } = capture.browser;
    const readiness = await enterClass(classroom, {
      ...this.#options,
      shown: this.#shown,
      handlers: this.#handlers(),
      signalled: this.#ready.promise,
      signal: this.#abort.signal,
      onFailed: this.#failed.reject,
      laps,
    });
    const told = { event: 'classroom-ready', readiness, browserPid: pid, ...laps.times };
    log.info(told, 'the classroom is ready');
    if (readiness === 'deadline') {
      const seconds = settings.readinessTimeoutMs / 1000;
      this.emit('warning', `the page was not ready within ${seconds} s; recording began anyway`);
    }
    return { capture, readiness };
  }

  #handlers(): PageHandshakeHandlers {
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
      streams: () => this.#streams.latest,
      published: () => sink.published,
      onProgress: (progress) => this.emit('progress', progress),
    });
    this.#resources.use(meter);
    const origin = await Promise.race([this.#begin(capture), this.#failed.promise]);
    const page = capture.browser.classroom;
    this.emit('started', { ...origin, readiness, page });
    this.#shown.announce('started');
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
    const { settings, workDir, spoolSuffix, sink, log } = this.#options;
    const spool = await openSpool(`${workDir}/spool`, spoolSuffix);
    const early = holdBack(capture);
    const captured = await early.origin;
    const { originMs, isOurs } = await this.#agreeOrigin(captured);
    const firstNumber = segmentAt(captured.originMs, originMs);
    // The part of a segment before the first picture is somebody else's, or a hole: it goes on at the next boundary.
    const fromNumber = isOurs ? firstNumber : firstNumber + 1;
    const segmenter = new Segmenter({
      settings,
      originMs,
      firstNumber,
      fromNumber,
      spool,
      onSegmentClosed: (segment) => {
        sink.add(segment);
      },
      onFailed: this.#failed.reject,
    });
    this.#segmenter = segmenter;
    const { firstFrameMs } = captured;
    log.info({ event: 'media-begun', n: fromNumber, firstFrameMs, originMs }, 'media is kept');
    this.#quality.begin(originMs, firstFrameMs);
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
    const { maxDurationMs } = settings;
    const leftMs = timeLeftMs(origin, { maxDurationMs, nowMs: clock.nowMs() });
    const full = delay(leftMs, this.#abort.signal).then(() => {
      this.stop('max-duration');
    });
    full.catch(() => undefined);
    try {
      const reason = await Promise.race([this.#stop.promise, this.#failed.promise]);
      this.emit('stopping', reason);
      this.#shown.announce('stopped');
      const nowMs = clock.nowMs();
      const endMs = Math.max(boundaryAtOrAfter(nowMs), origin.originMs + SEGMENT_MS);
      this.#endMs = endMs;
      await endCapture(capture, { endMs, nowMs, failed: this.#failed.promise });
      return { reason };
    } catch (error) {
      return { failure: asChalkreelError(error) };
    }
  }
}
