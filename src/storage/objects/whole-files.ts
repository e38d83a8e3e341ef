import { constants } from 'node:fs';
import { readFd, syncFd, withFile, writeFd } from '../../open-file.ts';
import type { ObjectRange } from './object-store.ts';

/** A body this small is synced as it is written, in one step of the operating system. */
const ONE_WRITE_BYTES = 64 * 1024;
const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

/** A part of a file, in one step unless the operating system takes several; shorter where the file ends earlier. */
export function readPart(file: string, { start, end }: ObjectRange): Promise<Buffer> {
  return withFile(file, 'r', async (fd) => {
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, end - start));
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await readFd(fd, bytes, length, bytes.length - length, start + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  });
}

/** Writes a new file; it lasts when this resolves. */
export function writeSynced(file: string, bytes: Uint8Array): Promise<void> {
  const isOneWrite = bytes.length <= ONE_WRITE_BYTES;
  return withFile(file, isOneWrite ? NEW | constants.O_SYNC : NEW, async (fd) => {
    let length = 0;
    while (length < bytes.length) {
      length += (await writeFd(fd, bytes, length, bytes.length - length, length)).bytesWritten;
    }
    if (!isOneWrite) await syncFd(fd);
  });
}

/** Makes what a file holds last. */
export function syncFile(file: string): Promise<void> {
  return withFile(file, 'r+', (fd) => syncFd(fd));
}
