import { ChalkreelError } from '../src/errors.ts';
import { delay } from '../src/lifecycle.ts';

/** A recording outlives a Redis or storage that is away: bookkeeping is tried again this often, for as long as it takes. */
const RETRY_MS = 500;

/** Repeats what failed for want of Redis or storage, until it succeeds or `signal` aborts; what is refused is thrown. */
export async function retried<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ChalkreelError && !error.retryable) throw error;
      await delay(RETRY_MS, signal);
    }
  }
}
