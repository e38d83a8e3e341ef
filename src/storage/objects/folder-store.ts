import { randomUUID } from 'node:crypto';
import { createReadStream, type Dirent } from 'node:fs';
import {
  copyFile,
  link,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { ChalkreelError, inputError } from '../../errors.ts';
import { makeFolder } from '../../folders.ts';
import { FolderSyncs } from './folder-syncs.ts';
import { assertObjectKey, RESERVED_PART } from './object-key.ts';
import type { ObjectBody, ObjectInfo, ObjectRange, ObjectStore } from './object-store.ts';
import { errorCode, isMissing } from './system-errors.ts';
import { readPart, syncFile, writeSynced } from './whole-files.ts';

/** A half-written file this old belongs to a process that died. */
const STALE_TEMPORARY_MS = 24 * 3_600_000;
/** Bytes a stream reads at once. */
const READ_BYTES = 256 * 1024;
/** A folder emptied by a delete may vanish between being made and being used: made again this often. */
const FOLDER_ATTEMPTS = 5;

/**
 * Objects as files in a folder. A write is synced, then appears under its name in one step, then its folder is
 * synced: what resolved has survived a power cut.
 */
export class FolderStore implements ObjectStore {
  readonly #root: string;
  readonly #syncs = new FolderSyncs();

  private constructor(root: string) {
    this.#root = root;
  }

  /** Makes the folder if needed. Throws `storage-not-writable`. */
  static async open(root: string): Promise<FolderStore> {
    const store = new FolderStore(path.resolve(root));
    try {
      await makeFolder(store.#temporaryFolder);
      const probe = store.#newTemporary();
      await (await open(probe, 'wx')).close();
      await rm(probe);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw inputError(
        'CHALKREEL_STORAGE_URL',
        `The storage folder ${root} is not writable: ${reason}`,
        'storage-not-writable',
      );
    }
    await store.#removeStaleTemporaries();
    return store;
  }

  async putOnce(key: string, body: ObjectBody): Promise<void> {
    const target = this.#pathOf(key);
    const source = await this.#prepare(body);
    const isTemporary = source.startsWith(this.#temporaryFolder);
    let removed: Promise<void> | undefined;
    try {
      await this.#inFolderOf(target, async () => {
        await link(source, target);
        // While the folder is synced.
        if (isTemporary) removed = unlink(source);
      });
    } catch (error) {
      if (isTemporary) removed ??= unlink(source);
      if (errorCode(error) !== 'EEXIST') throw error;
      throw new ChalkreelError('object-exists', `Object ${key} exists already`, {
        details: { key },
      });
    } finally {
      await removed;
    }
    if (isFile(body)) await rm(body.file, { force: true });
  }

  async put(key: string, body: ObjectBody): Promise<void> {
    const target = this.#pathOf(key);
    if (!isFile(body) && body.length === 0) {
      // Nothing can be half of nothing.
      await this.#inFolderOf(target, async () => (await open(target, 'w')).close());
      return;
    }
    const source = await this.#prepare(body);
    await this.#inFolderOf(target, () => rename(source, target));
    if (isFile(body)) await rm(body.file, { force: true });
  }

  async find(key: string): Promise<ObjectInfo | undefined> {
    try {
      const info = await stat(this.#pathOf(key));
      if (!info.isFile()) return undefined;
      return { key, length: info.size, modifiedAtMs: info.mtimeMs };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async read(key: string, range?: ObjectRange): Promise<Buffer> {
    try {
      const file = this.#pathOf(key);
      return await (range === undefined ? readFile(file) : readPart(file, range));
    } catch (error) {
      throw isMissing(error) ? notFound(key) : error;
    }
  }

  async openStream(key: string, range?: ObjectRange): Promise<Readable> {
    const file = await open(this.#pathOf(key)).catch((error: unknown) => {
      throw isMissing(error) ? notFound(key) : error;
    });
    if (range !== undefined && range.end <= range.start) {
      await file.close();
      return createReadStream('/dev/null');
    }
    const part = range === undefined ? {} : { start: range.start, end: range.end - 1 };
    return file.createReadStream({ ...part, highWaterMark: READ_BYTES });
  }

  async *list(
    prefix: string,
    { after = '' }: { readonly after?: string | undefined } = {},
  ): AsyncIterable<ObjectInfo> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    if (folder !== '') assertObjectKey(folder.slice(0, -1));
    for await (const key of this.#walk(folder, prefix, after)) {
      const info = await this.find(key);
      if (info !== undefined) yield info;
    }
  }

  async *listFolders(folder: string): AsyncIterable<string> {
    assertObjectKey(folder.slice(0, -1));
    for (const name of await this.#sortedNames(folder)) {
      if (name.endsWith('/')) yield name.slice(0, -1);
    }
  }

  async delete(key: string): Promise<void> {
    const file = this.#pathOf(key);
    try {
      await rm(file);
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    await this.#syncs.sync(path.dirname(file));
    await this.#removeEmptyFolders(path.dirname(file));
  }

  get #temporaryFolder(): string {
    return path.join(this.#root, RESERVED_PART);
  }

  #newTemporary(): string {
    return path.join(this.#temporaryFolder, randomUUID());
  }

  #pathOf(key: string): string {
    assertObjectKey(key);
    return path.join(this.#root, key);
  }

  /** A synced file on our disk that holds the body: a temporary one, or the caller's own file. */
  async #prepare(body: ObjectBody): Promise<string> {
    if (isFile(body) && (await this.#isOnOurDisk(body.file))) {
      await syncFile(body.file);
      return body.file;
    }
    const temporary = this.#newTemporary();
    try {
      if (isFile(body)) {
        await copyFile(body.file, temporary);
        await syncFile(temporary);
      } else await writeSynced(temporary, body);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    return temporary;
  }

  async #isOnOurDisk(file: string): Promise<boolean> {
    const [ours, theirs] = await Promise.all([stat(this.#temporaryFolder), stat(file)]);
    return ours.dev === theirs.dev;
  }

  /** Makes the target's folder, does the one step that shows the object, and syncs what changed. */
  async #inFolderOf(target: string, step: () => Promise<void>): Promise<void> {
    const folder = path.dirname(target);
    let firstMade: string | undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        // Most folders are there.
        const made = attempt === 1 ? undefined : await makeFolder(folder);
        if (made !== undefined && made.length < (firstMade?.length ?? Infinity)) firstMade = made;
        await step();
        break;
      } catch (error) {
        if (errorCode(error) !== 'ENOENT' || attempt > FOLDER_ATTEMPTS) throw error;
      }
    }
    // The parents of new folders as well, so that their names last.
    const top = firstMade === undefined ? folder : path.dirname(firstMade);
    const changed: Promise<void>[] = [];
    for (let at = folder; at.length >= top.length; at = path.dirname(at)) {
      changed.push(this.#syncs.sync(at));
      if (at === top) break;
    }
    await Promise.all(changed);
  }

  async *#walk(folder: string, prefix: string, after: string): AsyncIterable<string> {
    for (const name of await this.#sortedNames(folder)) {
      const key = folder + name;
      if (key === `${RESERVED_PART}/`) continue;
      if (name.endsWith('/')) {
        const isInside = key.startsWith(prefix) || prefix.startsWith(key);
        // All keys inside begin with the folder's: it may hold later ones when it is later, or begins the same.
        const mayBeAfter = key > after || after.startsWith(key);
        if (isInside && mayBeAfter) yield* this.#walk(key, prefix, after);
      } else if (key.startsWith(prefix) && key > after) yield key;
    }
  }

  /** Names in key order, folders with the slash that their keys have, since `a-b` comes before `a/b`. */
  async #sortedNames(folder: string): Promise<string[]> {
    const entries = await readdir(path.join(this.#root, folder), { withFileTypes: true }).catch(
      (error: unknown): Dirent[] => {
        if (isMissing(error)) return [];
        throw error;
      },
    );
    const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
    return names.sort((a, b) => (a < b ? -1 : 1));
  }

  async #removeEmptyFolders(folder: string): Promise<void> {
    for (let at = folder; at.length > this.#root.length; at = path.dirname(at)) {
      try {
        await rmdir(at);
      } catch {
        return; // not empty, or someone else was quicker
      }
    }
  }

  async #removeStaleTemporaries(): Promise<void> {
    const names = await readdir(this.#temporaryFolder);
    for (const name of names) {
      const file = path.join(this.#temporaryFolder, name);
      const info = await stat(file).catch(() => undefined);
      if (info !== undefined && Date.now() - info.mtimeMs > STALE_TEMPORARY_MS) {
        await rm(file, { force: true });
      }
    }
  }
}

function isFile(body: ObjectBody): body is { readonly file: string } {
  return 'file' in body;
}

function notFound(key: string): ChalkreelError {
  return new ChalkreelError('object-not-found', `Object ${key} does not exist`, {
    details: { key },
  });
}
