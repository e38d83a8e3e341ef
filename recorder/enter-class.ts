import type { Page } from './browser.ts';
import { ChalkreelError } from '../src/errors.ts';
import type { Log } from '../src/log.ts';
import type { RecordingSettings, RecordingSource } from '../src/model/recording.ts';
import type { ShownClass } from './class/shown-class.ts';
import { classroomUrl, openClassroom, waitUntilReady, type Readiness } from './open-classroom.ts';
import { installPageHandshake, type PageHandshakeHandlers } from './page-handshake.ts';
import type { PageServer } from './page-server.ts';
import type { Laps } from './report/laps.ts';

export type EnterClassOptions = {
  readonly source: RecordingSource;
  readonly settings: RecordingSettings;
  readonly pages: PageServer;
  readonly shown: ShownClass;
  readonly handlers: PageHandshakeHandlers;
  /** Resolves when the page says that it is ready. */
  readonly signalled: Promise<void>;
  readonly signal: AbortSignal;
  /** The page crashed, at whatever time. */
  readonly onFailed: (error: ChalkreelError) => void;
  readonly laps: Laps;
  readonly log: Log;
};

/** Opens the class in the captured tab, listens to it from its first script on, and waits until it is ready. Throws `page-unreachable`. */
export async function enterClass(page: Page, options: EnterClassOptions): Promise<Readiness> {
  const { source, pages, shown, handlers, laps, onFailed, log } = options;
  page.once('error', () => {
    onFailed(new ChalkreelError('page-crashed', 'url: the page crashed', { fault: 'input' }));
  });
  await installPageHandshake(page, handlers, log);
  await openClassroom(page, classroomUrl(source, pages));
  shown.shownBy(page);
  laps.end('openMs');
  const readiness = await waitUntilReady(page, options);
  laps.end('readyMs');
  return readiness;
}
