import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RecorderBrowser } from '../../../recorder/browser.ts';
import { SpareBrowser } from '../../../recorder/spare-browser.ts';
import { deferred } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';

const log = createLog('test', 'silent');
const HD = { width: 1280, height: 720 };
/** Longer than until the next one is launched after one was taken; shorter than one may wait. */
const SOON_MS = 20_000;
/** Longer than until the next try, after one has failed. */
const LATER_MS = 90_000;
const HOURS_MS = 3 * 3_600_000;

type Opened = {
  isClosed: boolean;
  readonly die: () => void;
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A spare whose browsers are opened without Chrome. `answers`: whether the one opened as number n does. */
function keepSpare({
  answers = () => true,
  opens = () => true,
  hasHeadroom = () => true,
}: {
  readonly answers?: (nth: number) => boolean;
  readonly opens?: (nth: number) => boolean;
  readonly hasHeadroom?: () => boolean;
} = {}): { readonly spare: SpareBrowser; readonly opened: Opened[] } {
  const opened: Opened[] = [];
  const open = (): Promise<RecorderBrowser> => {
    const nth = opened.length;
    const gone = deferred();
    const one: Opened = { isClosed: false, die: gone.resolve };
    opened.push(one);
    if (!opens(nth)) return Promise.reject(new Error('no Chrome'));
    const resize = (): Promise<void> =>
      answers(nth) ? Promise.resolve() : new Promise(() => undefined);
    const close = (): Promise<void> => {
      one.isClosed = true;
      return Promise.resolve();
    };
    return Promise.resolve({
      gone: gone.promise,
      resize,
      close,
    } as Partial<RecorderBrowser> as never);
  };
  return { spare: new SpareBrowser({ open, hasHeadroom, log }), opened };
}

it('hands out the one that waits, once, and opens another for the next class a while later', async () => {
  const { spare, opened } = keepSpare();
  expect(await spare.take(HD)).toBeDefined();
  expect(await spare.take(HD)).toBeUndefined();
  expect(opened).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(SOON_MS);
  expect(opened).toHaveLength(2);
  expect(await spare.take(HD)).toBeDefined();
  await spare.close();
  // What was handed out is its taker's.
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([false, false]);
  await vi.advanceTimersByTimeAsync(HOURS_MS);
  expect(opened).toHaveLength(2);
});

it('does not hand out one that hangs, or could not be opened, and tries again', async () => {
  const { spare, opened } = keepSpare({ answers: (nth) => nth > 0, opens: (nth) => nth !== 1 });
  const hanging = spare.take(HD);
  await vi.advanceTimersByTimeAsync(SOON_MS);
  expect(await hanging).toBeUndefined();
  expect(opened[0]?.isClosed).toBe(true);
  expect(await spare.take(HD)).toBeUndefined();
  await vi.advanceTimersByTimeAsync(LATER_MS);
  expect(opened).toHaveLength(3);
  expect(await spare.take(HD)).toBeDefined();
  await spare.close();
});

it('replaces one that died, or has waited for hours, and leaves none behind', async () => {
  const { spare, opened } = keepSpare();
  await vi.advanceTimersByTimeAsync(SOON_MS);
  opened[0]?.die();
  await vi.advanceTimersByTimeAsync(LATER_MS);
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  await vi.advanceTimersByTimeAsync(HOURS_MS);
  expect(opened.length).toBeGreaterThan(2);
  await spare.close();
  expect(opened.every(({ isClosed }) => isClosed)).toBe(true);
});

it('opens none beside recordings while the machine is busy', async () => {
  let isBusy = true;
  const { spare, opened } = keepSpare({ hasHeadroom: () => !isBusy });
  expect(await spare.take(HD)).toBeDefined();
  await vi.advanceTimersByTimeAsync(LATER_MS);
  expect(opened).toHaveLength(1);
  isBusy = false;
  await vi.advanceTimersByTimeAsync(SOON_MS);
  expect(opened).toHaveLength(2);
  await spare.close();
});
