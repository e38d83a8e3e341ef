import { availableParallelism, loadavg } from 'node:os';
import path from 'node:path';
import type { PictureSize, RecorderBrowser } from './browser.ts';
import { openCaptureBrowser, type CaptureBrowserOptions } from './capture-browser.ts';
import { makeWorkFolder, removeWorkFolder } from './publish/work-folder.ts';
import { SpareBrowser } from './spare-browser.ts';

/** Of most classes; for others it is resized. */
const SIZE: PictureSize = { width: 1280, height: 720 };
/** Processes that want a core, per core, up to which another Chrome is launched beside recordings. */
const CALM_LOAD = 0.75;
/** Stands where a recording's id stands in the name of a work folder: the sweep finds none such, and removes what a killed worker left. */
const NO_RECORDING = 'spare';

export type KeepSpareBrowserOptions = Pick<CaptureBrowserOptions, 'chromium' | 'pages' | 'log'> & {
  /** Folder of all work folders on this disk. */
  readonly workRoot: string;
  readonly workerId: string;
};

/** Keeps a spare Chrome for a worker. Close it. */
export function keepSpareBrowser(options: KeepSpareBrowserOptions): SpareBrowser {
  return new SpareBrowser({
    open: () => openInFolder(options),
    hasHeadroom: () => (loadavg()[0] ?? 0) < CALM_LOAD * availableParallelism(),
    log: options.log,
  });
}

/** Opens one in a work folder of its own, which goes with it. */
async function openInFolder({
  workRoot,
  workerId,
  ...options
}: KeepSpareBrowserOptions): Promise<RecorderBrowser> {
  const place = { recordingId: NO_RECORDING, lane: 0, workerId };
  const folder = await makeWorkFolder(workRoot, place);
  try {
    const profileDir = path.join(folder, 'chrome');
    // Of whatever kind its class will be: the built-in classroom's code is there then.
    const next = 'classroom';
    const browser = await openCaptureBrowser({ ...options, size: SIZE, next, profileDir });
    const close = async (): Promise<void> => {
      await browser.close();
      await removeWorkFolder(folder);
    };
    return { ...browser, close };
  } catch (error) {
    await removeWorkFolder(folder);
    throw error;
  }
}
