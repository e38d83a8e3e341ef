import type { LinkRefusal } from '../../protocol/page-data.ts';
import { LinkRefused } from './page-api.ts';

/** A step done again and again. */
export type Polling = {
  /** Does it now, or once more when it is being done. */
  wake(): void;
};

/**
 * Does `step` `everyMs` after it was done, again and again, until the link is refused; any other failure is only a pause. A page that comes back
 * to the front, or whose network comes back, does not wait.
 */
export function startPolling(options: {
  readonly everyMs: () => number;
  readonly step: () => Promise<void>;
  readonly onFailed: () => void;
  readonly onRefused: (refusal: LinkRefusal) => void;
}): Polling {
  const { everyMs, step, onFailed, onRefused } = options;
  let wakeUp: () => void = () => undefined;
  let isWanted = false;
  const wake = (): void => {
    isWanted = true;
    wakeUp();
  };
  const pause = async (): Promise<void> => {
    if (isWanted) return;
    await new Promise<void>((resolve) => {
      wakeUp = resolve;
      setTimeout(resolve, everyMs());
    });
  };
  const run = async (): Promise<void> => {
    for (;;) {
      isWanted = false;
      try {
        await step();
      } catch (error) {
        if (error instanceof LinkRefused) {
          onRefused(error.refusal);
          return;
        }
        onFailed();
      }
      await pause();
    }
  };
  window.addEventListener('online', wake);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') wake();
  });
  void run();
  return { wake };
}
