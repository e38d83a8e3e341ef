import { ChalkreelError } from '../src/errors.ts';
import { withDeadline, type Closable } from '../src/lifecycle.ts';
import type { Capture } from './capture.ts';

const LOOK_MS = 250;
/** The recorder tab tells its counts twice a second; on a machine with all cores busy they have come 1 s late. */
const SILENCE_MS = 2_500;
/** Chrome's main process is asked this often, and has so long to answer. */
const PING_EVERY_MS = 1_000;
const PING_TIMEOUT_MS = 2_500;

/**
 * Watches a running capture, and calls `onStalled` once when its Chrome hangs: the recorder tab says nothing, or the main process does not
 * answer. Time in which this process itself did not run is not counted.
 */
export function startCaptureWatch(
  capture: Capture,
  onStalled: (error: ChalkreelError) => void,
): Closable {
  let lookedAtMs = performance.now();
  let pingedAtMs = lookedAtMs;
  let isPinging = false;
  let isOver = false;
  const stalled = (what: string): void => {
    if (isOver) return;
    isOver = true;
    onStalled(new ChalkreelError('capture-stalled', what, { fault: 'dependency' }));
  };
  const ping = async (): Promise<void> => {
    isPinging = true;
    const sinceMs = performance.now();
    try {
      await withDeadline(capture.browser.ping(), PING_TIMEOUT_MS, () => new Error('no answer'));
    } catch {
      // When it is gone, the link's end says so. After a standstill of our own it is asked again.
      const wasAway = performance.now() - sinceMs > PING_TIMEOUT_MS + SILENCE_MS;
      if (!wasAway) stalled(`Chrome has not answered for ${PING_TIMEOUT_MS} ms`);
    } finally {
      isPinging = false;
    }
  };
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const awayMs = nowMs - lookedAtMs - LOOK_MS;
    lookedAtMs = nowMs;
    if (awayMs > SILENCE_MS / 2) {
      capture.heardAtMs = nowMs;
      return;
    }
    if (nowMs - capture.heardAtMs > SILENCE_MS) {
      stalled(`the recorder tab has said nothing for ${SILENCE_MS} ms`);
    }
    if (!isPinging && nowMs - pingedAtMs >= PING_EVERY_MS) {
      pingedAtMs = nowMs;
      void ping();
    }
  }, LOOK_MS);
  return {
    close: () => {
      isOver = true;
      clearInterval(timer);
      return Promise.resolve();
    },
  };
}
