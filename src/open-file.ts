import fs from 'node:fs';
import { promisify } from 'node:util';

const openFd = promisify(fs.open);
/** What `work` may do with a file; each is one step of the operating system, and may do less than was asked. */
export const readFd = promisify(fs.read);
export const writeFd = promisify(fs.write);
export const syncFd = promisify(fs.fsync);

/**
 * Opens a file and lets `work` use it. Nobody waits for it to be closed, and nothing depends on that: what must last is synced by `work`. Less
 * than half the cost of a FileHandle, for files that are read or written in one go. Throws the system's error.
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
    fs.close(fd, () => undefined);
  }
}
