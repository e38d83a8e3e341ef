import path from 'node:path';
import { CAST } from '../../src/demo/cast.ts';
import { openBoardClient } from '../../src/demo/drawing.ts';
import type { Resources } from '../../src/lifecycle.ts';
import { launchTestBrowser } from './browser.ts';
import { newTexts, renderReference, type Reference } from './classroom-reference.ts';
import { breakCamera, recordingOf, startDemo, type DemoResult } from './demo-run.ts';
import { PAGE_MS } from './page-picture.ts';
import { processesWith } from './processes.ts';
import { makeTempFolder } from './temp-folder.ts';
import { waitUntil } from './wait-until.ts';
import { openWatcher, watchLive, watchWhole, type SeenLive, type SeenWhole } from './watcher.ts';

/** A camera dies at 4 s, is started again at 7 and 10 s, and some 4 s later it is on the picture again, on a busy machine later. */
export const SECONDS = 22;
const WRITE_AT_MS = 2_500;
const KILL_AT_MS = 4_000;
/** Whose camera dies, as an index into the cast. */
export const DEAD_CAMERA = 2;

/** What happened in and around the one demo all these tests look at. Times are Unix ms. */
export type Lesson = {
  readonly result: DemoResult;
  readonly reference: Reference;
  readonly wroteAtMs: number;
  readonly killedAtMs: number;
  readonly restartedAtMs: number;
  readonly live: SeenLive;
  readonly whole: SeenWhole;
  readonly shown: string;
  readonly exitCode: number | null;
  readonly leftRunning: readonly unknown[];
};

/** A demo as a person runs it, with a watcher, a guest at the whiteboard, and a camera that dies. */
export async function holdLesson(resources: Resources): Promise<Lesson> {
  const folder = resources.use(await makeTempFolder('demo'));
  const out = path.join(folder.path, 'out');
  const demo = startDemo({ out, seconds: SECONDS, marker: folder.path });
  resources.use(demo.terminal);
  const browser = await launchTestBrowser();
  resources.defer(() => browser.close());
  const watcher = await openWatcher(browser, await demo.announced('watch'), folder.path);
  const { originMs, whiteboardUrl } = await recordingOf(demo);
  const guest = resources.use(openBoardClient(whiteboardUrl));
  await guest.ready();
  const recorded = (ms: number): Promise<boolean> =>
    waitUntil(`${ms} ms recorded`, () => Date.now() >= originMs + ms, PAGE_MS);
  await recorded(WRITE_AT_MS);
  const texts = newTexts();
  const wroteAtMs = Date.now();
  for (const text of texts) guest.addText(text);
  await recorded(KILL_AT_MS);
  const camera = await breakCamera(folder.path, CAST[DEAD_CAMERA].participantId);
  const live = await watchLive(watcher);
  const result = await demo.result();
  const whole = await watchWhole(watcher, result);
  demo.terminal.pressCtrlC();
  const exitCode = await demo.terminal.exited;
  const leftRunning = await processesWith(folder.path);
  const dataDir = path.join(folder.path, 'reference');
  const reference = await renderReference({ browser, dataDir, texts, deadCamera: DEAD_CAMERA });
  const shown = demo.terminal.shown();
  return { result, reference, wroteAtMs, ...camera, live, whole, shown, exitCode, leftRunning };
}
