import { randomUUID } from 'node:crypto';
import type { Log } from '../src/log.ts';
import type { RecordingSource } from '../src/model/recording.ts';
import { openRecorderBrowser, type PictureSize, type RecorderBrowser } from './browser.ts';
import type { PageServer } from './page-server.ts';

/** Hands out a Chrome that is open already, for a picture of this size; the taker closes it. Undefined when there is none. */
export type TakeSpare = (size: PictureSize) => Promise<RecorderBrowser | undefined>;

export type CaptureBrowserOptions = {
  readonly size: PictureSize;
  /** What its classroom tab is to show later. */
  readonly next: RecordingSource['kind'];
  readonly chromium: string;
  readonly profileDir: string;
  readonly pages: Pick<PageServer, 'recorderUrl' | 'tokenUrl'>;
  readonly log: Log;
};

/** Launches a Chrome whose tabs wait on pages of ours until its capture is started. Throws `browser-failed`. */
export function openCaptureBrowser(options: CaptureBrowserOptions): Promise<RecorderBrowser> {
  const { size, next, chromium, profileDir, pages, log } = options;
  const title = `chalkreel-${randomUUID()}`;
  return openRecorderBrowser({
    ...size,
    chromium,
    profileDir,
    log,
    recorderUrl: pages.recorderUrl,
    token: { url: pages.tokenUrl(title, next), title },
  });
}
