import { rm } from 'node:fs/promises';
import puppeteer, { type Browser, type CDPSession, type Page, type Target } from 'puppeteer';

export type { CDPSession, Page } from 'puppeteer';
import { ChalkreelError } from '../src/errors.ts';
import { makeFolder } from '../src/folders.ts';
import type { Log } from '../src/log.ts';
import { withDeadline, type Closable } from '../src/lifecycle.ts';

/**
 * What the browser's own interface takes of a window's height, sharing bar included (lab: measured outer minus inner once
 * capture runs). Without it the captured picture is smaller than the page.
 */
const BROWSER_UI_HEIGHT = 143;
/** Lets the classroom page deselect the picture of a stream that is not on screen, so that Chrome does not decode it. */
export const RECORDED_PAGE_FEATURES = '--enable-blink-features=AudioVideoTracks';
const LAUNCH_TIMEOUT_MS = 20_000;
/** Time Chrome gets to end by itself before its process group is killed. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Pixels of the recorded picture. */
export type PictureSize = { readonly width: number; readonly height: number };

export type RecorderBrowserOptions = PictureSize & {
  readonly chromium: string;
  /** Throw-away profile; removed on close. */
  readonly profileDir: string;
  /** Chalkreel's recorder page. */
  readonly recorderUrl: string;
  /** The page the classroom tab opens on; `title` must be unique, since capture is chosen by it. */
  readonly token: { readonly url: string; readonly title: string };
  readonly log: Log;
};

/** One throw-away Chrome with two tabs: the recorder's and the classroom's. */
export type RecorderBrowser = Closable & {
  /** Process id, and id of the process group, of this Chrome and nothing else. */
  readonly pid: number;
  readonly classroom: Page;
  readonly recorder: Page;
  /** Makes the classroom tab's picture this large; only before it is captured. */
  readonly resize: (size: PictureSize) => Promise<void>;
  /**
   * Once the classroom tab is captured: lays an empty tab over it, so that Chrome draws the captured picture alone and not a window that
   * nobody sees. Whether that was possible.
   */
  readonly cover: () => Promise<boolean>;
  /** Settles when Chrome is gone, however it went. */
  readonly gone: Promise<void>;
  /** Ends it at once, with whatever it is doing, also when it hangs. To be closed all the same. */
  readonly kill: () => void;
  /** Resolves when Chrome's main process answers; rejects when it is gone. */
  readonly ping: () => Promise<void>;
};

/** Chrome needs `--no-sandbox` as root; as anyone else it keeps its sandbox. */
export function decideSandbox(): { readonly isSandboxed: boolean; readonly reason: string } {
  return process.getuid?.() === 0
    ? { isSandboxed: false, reason: 'running as root, where Chrome cannot use its sandbox' }
    : { isSandboxed: true, reason: 'not running as root' };
}

/** Launches Chrome and opens both tabs. Throws `browser-failed`; nothing is left running then. */
export async function openRecorderBrowser(
  options: RecorderBrowserOptions,
): Promise<RecorderBrowser> {
  const sandbox = decideSandbox();
  options.log.info({ event: 'sandbox', ...sandbox }, 'decided on the browser sandbox');
  await makeFolder(options.profileDir);
  const browser = await launch(options, sandbox.isSandboxed);
  const pid = browser.process()?.pid;
  const gone = new Promise<void>((resolve) => {
    browser.process()?.once('exit', () => {
      resolve();
    });
  });
  const close = onlyOnce(async () => {
    await endBrowser(browser, pid, gone);
    await rm(options.profileDir, { recursive: true, force: true, maxRetries: 5 });
  });
  try {
    if (pid === undefined) throw new ChalkreelError('browser-failed', 'Chrome has no process id');
    const [[recorder], classroomWindow] = await Promise.all([
      browser.pages(),
      openWindow(browser, options),
    ]);
    if (recorder === undefined) throw new Error('the recorder tab is not there');
    const kill = (): void => killGroup(pid);
    const ping = async (): Promise<void> => {
      await browser.version();
    };
    return { pid, recorder, ...classroomWindow, gone, kill, ping, close };
  } catch (error) {
    await close();
    throw new ChalkreelError('browser-failed', `Chrome did not open its tabs: ${String(error)}`, {
      fault: 'dependency',
      cause: error,
    });
  }
}

async function launch(options: RecorderBrowserOptions, isSandboxed: boolean): Promise<Browser> {
  try {
    return await puppeteer.launch({
      executablePath: options.chromium,
      headless: true,
      // No port is opened, and Chrome ends when the pipe's other end dies with us.
      pipe: true,
      userDataDir: options.profileDir,
      timeout: LAUNCH_TIMEOUT_MS,
      defaultViewport: null,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      ignoreDefaultArgs: ['--mute-audio'],
      args: chromeArguments(options, isSandboxed),
    });
  } catch (error) {
    await rm(options.profileDir, { recursive: true, force: true });
    throw new ChalkreelError('browser-failed', `Chrome did not start: ${String(error)}`, {
      fault: 'dependency',
      cause: error,
      details: { chromium: options.chromium },
    });
  }
}

function chromeArguments(options: RecorderBrowserOptions, isSandboxed: boolean): string[] {
  return [
    // Drawing in software: GL through SwiftShader costs three times as much (lab).
    '--disable-gpu',
    '--hide-scrollbars',
    `--window-size=${options.width},${options.height + BROWSER_UI_HEIGHT}`,
    // Sound and picture run without anybody at the machine.
    '--autoplay-policy=no-user-gesture-required',
    `--auto-select-tab-capture-source-by-title=${options.token.title}`,
    // Nothing is slowed down for being out of sight.
    '--disable-renderer-backgrounding',
    '--disable-backgrounding-occluded-windows',
    '--disable-background-timer-throttling',
    // Chrome talks to the classroom and to nobody else.
    '--disable-background-networking',
    '--disable-component-update',
    // WebRTC names its own address to the SFU instead of announcing a made-up one to the whole network (mDNS).
    '--disable-features=WebRtcHideLocalIpsWithMdns',
    RECORDED_PAGE_FEATURES,
    '--disable-sync',
    '--no-first-run',
    ...(isSandboxed ? [] : ['--no-sandbox']),
    // The first tab: it loads while the classroom's window is opened.
    options.recorderUrl,
  ];
}

/** Opens the classroom tab in a window of its own (otherwise it counts as hidden), at exactly the recorded size. */
async function openWindow(
  browser: Browser,
  options: RecorderBrowserOptions,
): Promise<Pick<RecorderBrowser, 'classroom' | 'resize' | 'cover'>> {
  const session = await browser.target().createCDPSession();
  const { targetId } = await session.send('Target.createTarget', {
    url: options.token.url,
    newWindow: true,
    width: options.width,
    height: options.height + BROWSER_UI_HEIGHT,
  });
  const target = await browser.waitForTarget((t) => idOf(t) === targetId, { timeout: 5_000 });
  const classroom = await target.page();
  if (classroom === null) throw new Error('the classroom window has no page');
  const client = await classroom.createCDPSession();
  await overrideMetrics(client, options);
  const windowOf = async (tab: string): Promise<number> =>
    (await session.send('Browser.getWindowForTarget', { targetId: tab })).windowId;
  const resize = async ({ width, height }: PictureSize): Promise<void> => {
    const windowId = await windowOf(targetId);
    const bounds = { width, height: height + BROWSER_UI_HEIGHT };
    await session.send('Browser.setWindowBounds', { windowId, bounds });
    await overrideMetrics(client, { width, height });
  };
  // A captured tab counts as visible wherever it is. It keeps the focus that pages ask for.
  const cover = async (): Promise<boolean> => {
    await client.send('Emulation.setFocusEmulationEnabled', { enabled: true });
    const { targetId: empty } = await session.send('Target.createTarget', { url: 'about:blank' });
    const [above, below] = await Promise.all([windowOf(empty), windowOf(targetId)]);
    if (above !== below) await session.send('Target.closeTarget', { targetId: empty });
    return above === below;
  };
  return { classroom, resize, cover };
}

async function overrideMetrics(client: CDPSession, size: PictureSize): Promise<void> {
  await client.send('Emulation.setDeviceMetricsOverride', {
    width: size.width,
    height: size.height,
    deviceScaleFactor: 1,
    mobile: false,
  });
}

/** Puppeteer keeps a target's id to itself. */
function idOf(target: Target): string {
  return (target as unknown as { _targetId: string })._targetId;
}

async function endBrowser(
  browser: Browser,
  pid: number | undefined,
  gone: Promise<void>,
): Promise<void> {
  const timedOut = () => new Error(`Chrome did not end within ${CLOSE_TIMEOUT_MS} ms`);
  await withDeadline(
    browser.close().then(() => gone),
    CLOSE_TIMEOUT_MS,
    timedOut,
  ).catch(() => undefined);
  if (pid !== undefined) killGroup(pid);
}

function killGroup(pid: number): void {
  try {
    // The group is Chrome's own: it was started as a group leader.
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
}

function onlyOnce(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= action());
}
