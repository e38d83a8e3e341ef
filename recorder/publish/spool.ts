import { open, rename, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder, syncFolder } from '../../src/folders.ts';

/** Packets gather up to this before they are appended to the file: about 50 ms of a 3 Mb/s recording. */
const FLUSH_BYTES = 16 * 1024;
/** And no longer than this, where little happens: what has gathered dies with the worker. */
const FLUSH_MS = 100;

/** A worker's folder of segments not yet published. What is in it survives the worker. */
export type Spool = {
  /** Opens the file of segment `n`. */
  openSegment(n: number): SpoolFile;
};

export type SpoolFile = {
  append(packets: Uint8Array): void;
  /** Makes the file durable under its final name and returns that: sync, rename, sync the folder. */
  close(): Promise<string>;
  /** Leaves the file, unfinished, with all that was appended so far. Never throws. */
  leave(): Promise<void>;
};

/** What an unfinished file's name ends with. */
export const PART = '.part';

/** Opens a spool; names of its files are the number and `suffix`. */
export async function openSpool(folder: string, suffix = ''): Promise<Spool> {
  await makeFolder(folder);
  return {
    openSegment: (n) => new SegmentFile(folder, `${String(n).padStart(6, '0')}${suffix}.ts`),
  };
}

class SegmentFile implements SpoolFile {
  readonly #folder: string;
  readonly #file: string;
  readonly #handle: Promise<FileHandle>;
  #writes: Promise<unknown>;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #flushedAtMs = performance.now();

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#file = path.join(folder, name);
    this.#handle = open(`${this.#file}${PART}`, 'w');
    this.#writes = this.#handle;
    // A failure is met by close(); until then it must not count as unhandled.
    this.#writes.catch(() => undefined);
  }

  append(packets: Uint8Array): void {
    this.#gathered.push(packets);
    this.#gatheredBytes += packets.length;
    const isDue = performance.now() - this.#flushedAtMs >= FLUSH_MS;
    if (isDue || this.#gatheredBytes >= FLUSH_BYTES) this.#flush();
  }

  async close(): Promise<string> {
    this.#flush();
    await this.#writes;
    const handle = await this.#handle;
    await handle.sync();
    await handle.close();
    await rename(`${this.#file}${PART}`, this.#file);
    await syncFolder(this.#folder);
    return this.#file;
  }

  async leave(): Promise<void> {
    this.#flush();
    await this.#writes.catch(() => undefined);
    await this.#handle.then((handle) => handle.close()).catch(() => undefined);
  }

  #flush(): void {
    this.#flushedAtMs = performance.now();
    if (this.#gatheredBytes === 0) return;
    const bytes = Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#writes = this.#writes.then(async () => (await this.#handle).appendFile(bytes));
    this.#writes.catch(() => undefined);
  }
}

/** Writes a whole file and syncs it. */
export async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
