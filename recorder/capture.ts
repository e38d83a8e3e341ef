import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';
import { systemClock } from '../src/clock.ts';
import { ChalkreelError } from '../src/errors.ts';
import { withDeadline, type Closable } from '../src/lifecycle.ts';
import type { Log } from '../src/log.ts';
import type { RecordingSettings, RecordingSource } from '../src/model/recording.ts';
import type { SpanKind } from '../src/model/spans.ts';
import {
  fromPageSchema,
  parseMediaMessage,
  type CaptureStats,
  type FromPage,
  type MediaMessage,
  type RecorderPageConfig,
  type ToPage,
} from '../src/protocol/recorder-link.ts';
import type { RecorderBrowser } from './browser.ts';
import { openCaptureBrowser, type TakeSpare } from './capture-browser.ts';
import type { FleetClock } from './fleet-clock.ts';
import type { PageServer } from './page-server.ts';

/** From an open browser to capture running; 0.2 s alone, 1.4 s when three start at once (lab). */
const CAPTURE_TIMEOUT_MS = 20_000;

/** Where a recording's grid begins, and when its first picture was taken; both Unix ms. */
export type RecordingOrigin = { readonly originMs: number; readonly firstFrameMs: number };

type CaptureEvents = {
  /** Capture and encoders run. */
  ready: [];
  media: [MediaMessage];
  stats: [CaptureStats];
  /** A span began (`endMs` null) or ended in the recorded picture or sound, Unix ms. */
  span: [kind: SpanKind, startMs: number, endMs: number | null];
  /** Once, when recording begins. */
  origin: [RecordingOrigin];
  /** Everything up to the asked end has come. */
  ended: [];
  /** Capture cannot go on. */
  failed: [ChalkreelError];
};

export type CaptureOptions = {
  readonly source: RecordingSource;
  readonly settings: RecordingSettings;
  readonly chromium: string;
  readonly profileDir: string;
  readonly pages: PageServer;
  readonly clock: FleetClock;
  readonly log: Log;
  readonly takeSpare?: TakeSpare | undefined;
  /** For tests and benches: lays sound so much too late, ms. */
  readonly soundSkewMs?: number | undefined;
};

/** Captures the classroom tab, which waits on a page of ours, of the spare Chrome or of one it launches. Throws when that fails. */
export async function startCapture(options: CaptureOptions): Promise<Capture> {
  const { settings, source, log } = options;
  const spare = await options.takeSpare?.(settings);
  if (spare !== undefined) {
    try {
      return await captureIn(spare, options);
    } catch (error) {
      log.warn({ event: 'spare-browser-failed', err: error });
    }
  }
  const { width, height } = settings;
  const browser = await openCaptureBrowser({
    ...options,
    size: { width, height },
    next: source.kind,
  });
  return captureIn(browser, options);
}

async function captureIn(browser: RecorderBrowser, options: CaptureOptions): Promise<Capture> {
  const { pages, settings, clock, log, soundSkewMs = 0 } = options;
  const ticket = pages.issueTicket();
  const { linkUrl } = pages;
  const config: RecorderPageConfig = { ...settings, linkUrl, token: ticket.token, soundSkewMs };
  try {
    return await withDeadline(
      runCapture(browser, { config, opened: ticket.opened, clock, log }),
      CAPTURE_TIMEOUT_MS,
      () => captureError(`tab capture did not start within ${CAPTURE_TIMEOUT_MS} ms`),
    );
  } catch (error) {
    await browser.close();
    throw error;
  }
}

async function runCapture(
  browser: RecorderBrowser,
  options: {
    readonly config: RecorderPageConfig;
    readonly opened: Promise<WebSocket>;
    readonly clock: FleetClock;
    readonly log: Log;
  },
): Promise<Capture> {
  await Promise.all([
    browser.recorder.waitForFunction('window.chalkreelCapture !== undefined'),
    browser.classroom.waitForFunction('window.chalkreelMove?.()'),
  ]);
  await browser.recorder.evaluate(
    (config) => (globalThis as unknown as RecorderPage).chalkreelCapture(config),
    options.config,
  );
  const capture = new Capture(browser, await options.opened, options.clock);
  await new Promise<void>((resolve, reject) => {
    capture.once('ready', resolve);
    capture.once('failed', reject);
  });
  if (!(await browser.cover())) options.log.warn({ event: 'classroom-not-covered' });
  return capture;
}

/** What the recorder tab offers (recorder/page/main.ts). */
type RecorderPage = { chalkreelCapture(config: RecorderPageConfig): Promise<void> };

function captureError(message: string): ChalkreelError {
  return new ChalkreelError('capture-failed', message, { fault: 'dependency' });
}

/** A Chrome whose classroom tab is being captured and encoded, but not yet recorded. It may wait for its classroom. */
export class Capture extends EventEmitter<CaptureEvents> implements Closable {
  readonly browser: RecorderBrowser;
  stats: CaptureStats | undefined;
  /** When the recorder tab last said anything, by `performance.now()`. */
  heardAtMs = performance.now();
  readonly #socket: WebSocket;
  readonly #clock: FleetClock;
  #isClosing = false;

  constructor(browser: RecorderBrowser, socket: WebSocket, clock: FleetClock) {
    super();
    this.browser = browser;
    this.#socket = socket;
    this.#clock = clock;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.#onMessage(data, isBinary);
    });
    socket.on('close', () => {
      this.#fail('browser-crashed', 'Chrome or its recorder tab is gone');
    });
    socket.resume();
  }

  /** Begins recording with the picture the classroom tab shows now. */
  start(): void {
    this.#send({ type: 'start' });
  }

  /** Ends at this boundary, Unix ms. */
  stopAt(endMs: number): void {
    this.#send({ type: 'stop', endMs });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#socket.terminate();
    await this.browser.close();
  }

  #send(message: ToPage): void {
    this.#socket.send(JSON.stringify(message));
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.heardAtMs = performance.now();
    try {
      if (isBinary) this.emit('media', parseMediaMessage(data));
      else this.#onControl(fromPageSchema.parse(JSON.parse(data.toString())));
    } catch (error) {
      this.#fail('link-broken', 'the recorder tab sent something unexpected', error);
    }
  }

  #onControl(message: FromPage): void {
    switch (message.type) {
      case 'ping':
        this.#send({
          type: 'pong',
          pingedAt: message.pingedAt,
          monotonicMs: systemClock.monotonicMs(),
          fleetOffsetMs: this.#clock.offsetMs,
        });
        return;
      case 'ready':
        this.emit('ready');
        return;
      case 'origin':
        this.emit('origin', { originMs: message.originMs, firstFrameMs: message.firstFrameMs });
        return;
      case 'stats':
        this.stats = message.stats;
        this.emit('stats', message.stats);
        return;
      case 'span':
        this.emit('span', message.kind, message.startMs, message.endMs);
        return;
      case 'ended':
        this.stats = message.stats;
        this.emit('ended');
        return;
      case 'failed':
        this.#fail(message.code, message.message);
    }
  }

  #fail(code: string, message: string, cause?: unknown): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.emit('failed', new ChalkreelError(code, message, { fault: 'dependency', cause }));
  }
}
