import fs from 'node:fs';
import { promisify } from 'node:util';

const openFd = promisify(fs.open);
/** What `work` may do with a file; each is one step of the operating system, and may do less than was asked. */
export const readFd = promisify(fs.read);
export const writeFd = promisify(fs.write);
export const syncFd = promisify(fs.fsync);

/**
 * Opens a file and lets `work` use it. It is closed at once, since there is nothing left to be written: what must last is synced by `work`. Each
 * step that is handed to another thread costs about as much as all of a small answer, so there are no more than needed. Throws the system's error.
 */
export async function withFile<T>(
  file: string,
  flags: string | number,
  work: (fd: number) => Promise<T>,
): Promise<T> {
  const fd = await openFd(file, flags);
  try {
    return await work(fd);
  } finally {
    fs.closeSync(fd);
  }
}
