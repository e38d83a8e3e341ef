import { syncFolder } from '../../folders.ts';
import { isMissing } from './system-errors.ts';

/**
 * Makes names in folders last. Many who have changed the same folder share a sync: one that began before a change may not hold it, so
 * they wait for the next.
 */
export class FolderSyncs {
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  /** Resolves when what was done in the folder until now lasts. A folder that a delete has just removed needs no sync. */
  sync(folder: string): Promise<void> {
    const running = this.#running.get(folder);
    if (running === undefined) return this.#run(folder);
    const next = this.#next.get(folder) ?? this.#runAfter(folder, running);
    this.#next.set(folder, next);
    return next;
  }

  async #runAfter(folder: string, running: Promise<void>): Promise<void> {
    await running.catch(() => undefined);
    this.#next.delete(folder);
    await this.#run(folder);
  }

  #run(folder: string): Promise<void> {
    const run = syncFolder(folder)
      .catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      })
      .finally(() => {
        if (this.#running.get(folder) === run) this.#running.delete(folder);
      });
    this.#running.set(folder, run);
    return run;
  }
}
