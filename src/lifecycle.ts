/** Anything long-lived: closing is idempotent and resolves when it is truly gone. */
export type Closable = { close(): Promise<void> };

/**
 * What a scope has opened, closed in reverse order. Register on the line you open:
 * `const page = resources.use(await openClassroom(…))`.
 */
export class Resources implements Closable {
  #entries: Closable[] = [];
  #closing: Promise<void> | undefined;

  use<T extends Closable>(resource: T): T {
    this.#entries.push(resource);
    return resource;
  }

  /** Registers an action to run on close. */
  defer(close: () => Promise<void> | void): void {
    this.#entries.push({ close: async () => close() });
  }

  /** Closes everything, last opened first; every close is tried, the first failure is thrown at the end. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const entry of this.#entries.reverse()) {
      try {
        await entry.close();
      } catch (error) {
        failures.push(error);
      }
    }
    this.#entries = [];
    if (failures.length > 0) throw failures[0];
  }
}

/** Resolves after `ms`, or rejects with the signal's reason. */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Rejects with `onTimeout()` when the promise has not settled within `ms`. */
export async function withDeadline<T>(
  promise: Promise<T>,
  ms: number,
  onTimeout: () => Error,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(onTimeout());
    }, ms);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** A promise and the functions that settle it (Node 20 has no Promise.withResolvers). */
export type Deferred<T> = {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
};

/** Makes a Deferred. Its rejection never counts as unhandled: whoever waits is told. */
export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
