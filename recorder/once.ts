import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock } from '../src/clock.ts';
import type { Config } from '../src/config.ts';
import { asChalkreelError, ChalkreelError } from '../src/errors.ts';
import { Resources } from '../src/lifecycle.ts';
import type { Log } from '../src/log.ts';
import { readProgress } from '../src/model/progress.ts';
import type { RecordingSettings, RecordingSource } from '../src/model/recording.ts';
import { getPagesDir } from '../src/pages-dir.ts';
import { findChromium } from '../src/chromium.ts';
import { startFleetClock } from './fleet-clock.ts';
import type { Page } from './browser.ts';
import { EventsLog } from './class/events-log.ts';
import { openFolderEvents } from './class/folder-events.ts';
import { openFolderPublisher } from './publish/folder-publisher.ts';
import { startPageServer } from './page-server.ts';
import { PublishQueue } from './publish/publish-queue.ts';
import { RecordingRun, type RecordingOutcome } from './record.ts';
import { writeReport } from './report/report.ts';

export type OnceOptions = {
  readonly source: RecordingSource;
  readonly settings: RecordingSettings;
  readonly out: string;
  readonly config: Config;
  readonly log: Log;
  /** Aborting stops the recording as it should be: to the boundary, final playlist written. */
  readonly stopSignal: AbortSignal;
  /** For tests and benches: lays sound so much too late, ms. */
  readonly soundSkewMs?: number | undefined;
  /** For benches: the recorded page, once it is being recorded. */
  readonly onStarted?: ((page: Page) => void) | undefined;
};

export type OnceResult = RecordingOutcome & { readonly playlist: string };

/**
 * Records one page straight into a folder: no Redis, no API. Resolves with what was recorded, also when it ended early
 * (`end.failure`); throws what kept it from beginning, and leaves nothing running.
 */
export async function recordOnce(options: OnceOptions): Promise<OnceResult> {
  const { log, settings, config } = options;
  const resources = new Resources();
  const chromium = findChromium(config);
  const out = path.resolve(options.out);
  const workDir = path.join(out, `.work-${randomUUID().slice(0, 8)}`);
  try {
    const madeFrom = firstMissing(out);
    resources.defer(() => removeEmpty(out, madeFrom));
    const publisher = await openFolderPublisher(options.out);
    resources.defer(() => rm(workDir, { recursive: true, force: true }));
    const pages = resources.use(await startPageServer(getPagesDir()));
    const clock = resources.use(await startFleetClock({ clock: systemClock, log }));
    const queue = new PublishQueue({
      onFailed: (error) => {
        run.abandon(asChalkreelError(error));
      },
    });
    const run = new RecordingRun({
      source: options.source,
      settings,
      chromium,
      workDir,
      pages,
      clock,
      sink: {
        add: (segment) => {
          queue.add(segment, publisher);
        },
        get published() {
          return queue.published;
        },
        settled: () => queue.settled(),
      },
      log,
      soundSkewMs: options.soundSkewMs,
    });
    const events = openFolderEvents(out);
    const ended = new AbortController();
    resources.defer(() => ended.abort());
    const eventsLog = new EventsLog({
      sink: events.sink,
      nowMs: () => clock.nowMs(),
      log,
      signal: ended.signal,
    });
    eventsLog.follow(run);
    run.on('progress', (progress) => {
      log.info({ event: 'progress', ...readProgress(progress) });
    });
    run.on('started', ({ page }) => options.onStarted?.(page));
    run.on('warning', (warning) => {
      log.warn({ event: 'warning', warning });
    });
    options.stopSignal.addEventListener('abort', () => {
      run.stop('signal');
    });
    if (options.stopSignal.aborted) run.stop('signal');
    const outcome = await run.run();
    if (outcome === 'stopped-before-start') {
      throw new ChalkreelError('stopped-before-start', 'stopped before the first picture', {
        fault: 'input',
      });
    }
    await publisher.finish();
    await eventsLog.settled();
    await events.finish(outcome.originMs);
    await writeFile(path.join(out, 'report.json'), writeReport(settings, outcome));
    return { ...outcome, playlist: publisher.playlist };
  } finally {
    await resources.close();
  }
}

/** The uppermost folder of this path that is not there yet; undefined when all are. */
function firstMissing(folder: string): string | undefined {
  if (existsSync(folder)) return undefined;
  const parent = path.dirname(folder);
  return (parent === folder ? undefined : firstMissing(parent)) ?? folder;
}

/** Takes back folders that were made for a recording that did not come: those with something in them stay. */
async function removeEmpty(out: string, madeFrom: string | undefined): Promise<void> {
  const isGone = (folder: string): Promise<boolean> =>
    rmdir(folder).then(
      () => true,
      () => false,
    );
  await isGone(path.join(out, 'segments'));
  if (madeFrom === undefined) return;
  for (let at = out; at.length >= madeFrom.length && (await isGone(at)); at = path.dirname(at));
}
