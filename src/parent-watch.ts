/** Why a role ends: it was told to, or the supervisor that started it is gone. */
export type StopReason = 'SIGTERM' | 'SIGINT' | 'parent-died';

/**
 * Resolves once, on SIGTERM, SIGINT, or the end of the parent process (its IPC channel closes, however it died). Call it
 * first in a role's main, so that no signal is missed. Without an IPC channel only signals count.
 */
export function whenToldToStop(): Promise<StopReason> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        resolve(signal);
      });
    }
    process.once('disconnect', () => {
      resolve('parent-died');
    });
  });
}

/**
 * Ends this process at the latest `graceMs` after its parent has died: the clean way may be blocked by what died with it.
 */
export function exitWhenParentDies(graceMs: number): void {
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), graceMs).unref();
  });
}

/** Tells the supervisor something it waits for; nothing happens without one. */
export function tellParent(message: Readonly<Record<string, unknown>>): void {
  if (process.send !== undefined && process.connected) process.send(message);
}
