import type { Page } from './browser.ts';
import { ChalkreelError } from '../src/errors.ts';
import type { RecordingSettings, RecordingSource } from '../src/model/recording.ts';
import { delay } from '../src/lifecycle.ts';
import type { PageServer } from './page-server.ts';

/** Time to get the first answer from the classroom's server. */
const NAVIGATION_TIMEOUT_MS = 30_000;
/** From the page's own two animation frames to the captured picture: measured 50 to 90 ms. */
const PICTURE_DELAY_MS = 100;
const TWO_FRAMES_TIMEOUT_MS = 1_000;

/** The address a classroom tab opens for a source. */
export function classroomUrl(source: RecordingSource, pages: PageServer): string {
  if (source.kind === 'page') return source.url;
  const fragment = Buffer.from(JSON.stringify(source.classroom)).toString('base64url');
  return `${pages.classroomUrl}#${fragment}`;
}

/** Opens the classroom. Throws `page-unreachable`, naming what the network or the server said. */
export async function openClassroom(page: Page, url: string): Promise<void> {
  let status: number | undefined;
  try {
    const response = await page.goto(url, {
      waitUntil: 'domcontentloaded',
      timeout: NAVIGATION_TIMEOUT_MS,
    });
    status = response?.status();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw unreachable(url, reason ?? 'no answer', cause);
  }
  if (status !== undefined && status >= 400)
    throw unreachable(url, `the server answered ${status}`);
}

function unreachable(url: string, reason: string, cause?: unknown): ChalkreelError {
  const message = `url: ${url} cannot be opened: ${reason.replace(` at ${url}`, '')}`;
  return new ChalkreelError('page-unreachable', message, {
    fault: 'input',
    cause,
    details: { field: 'url' },
  });
}

export type Readiness = 'signal' | 'load' | 'deadline';

/** Resolves when the page is ready in the asked way, or at the deadline; the result says which. */
export async function waitUntilReady(
  page: Page,
  options: {
    readonly settings: RecordingSettings;
    readonly signalled: Promise<void>;
    readonly signal: AbortSignal;
  },
): Promise<Readiness> {
  const { settings, signalled, signal } = options;
  const waits: Promise<Readiness>[] = [
    signalled.then(() => 'signal' as const),
    delay(settings.readinessTimeoutMs, signal).then(() => 'deadline' as const),
  ];
  if (settings.readiness === 'load') waits.push(loaded(page).then(() => 'load' as const));
  const readiness = await Promise.race(waits);
  await Promise.race([drawTwoFrames(page), delay(TWO_FRAMES_TIMEOUT_MS, signal)]);
  await delay(PICTURE_DELAY_MS, signal);
  return readiness;
}

async function loaded(page: Page): Promise<void> {
  await page.waitForFunction('document.readyState === "complete"', { timeout: 0 }).catch(never);
}

async function drawTwoFrames(page: Page): Promise<void> {
  const twoFrames = 'new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))';
  await page.evaluate(twoFrames).catch(never);
}

/** A page that navigates away meanwhile answers nothing; signal and time-outs decide. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}
