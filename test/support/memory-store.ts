import { readFile, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { ChalkreelError } from '../../src/errors.ts';
import { assertObjectKey } from '../../src/storage/objects/object-key.ts';
import type {
  ObjectBody,
  ObjectInfo,
  ObjectRange,
  ObjectStore,
} from '../../src/storage/objects/object-store.ts';

/** Objects in memory: where a test looks at thousands of stores, and a disk would be what it measures. */
export class MemoryStore implements ObjectStore {
  readonly #objects = new Map<string, { readonly bytes: Buffer; readonly modifiedAtMs: number }>();

  async putOnce(key: string, body: ObjectBody): Promise<void> {
    const bytes = await bytesOf(body);
    if (this.#objects.has(key)) {
      throw new ChalkreelError('object-exists', `Object ${key} exists already`);
    }
    await this.#set(key, bytes, body);
  }

  async put(key: string, body: ObjectBody): Promise<void> {
    await this.#set(key, await bytesOf(body), body);
  }

  async find(key: string): Promise<ObjectInfo | undefined> {
    const object = this.#objects.get(key);
    if (object === undefined) return undefined;
    return { key, length: object.bytes.length, modifiedAtMs: object.modifiedAtMs };
  }

  async read(key: string, range?: ObjectRange): Promise<Buffer> {
    const object = this.#objects.get(key);
    if (object !== undefined) return object.bytes.subarray(range?.start, range?.end);
    throw new ChalkreelError('object-not-found', `Object ${key} does not exist`);
  }

  async openStream(key: string, range?: { start: number; end: number }): Promise<Readable> {
    const bytes = await this.read(key);
    const part = range === undefined ? bytes : bytes.subarray(range.start, range.end);
    return Readable.from(part.length === 0 ? [] : [part]);
  }

  async *list(prefix: string, { after = '' }: { after?: string } = {}): AsyncIterable<ObjectInfo> {
    for (const key of this.keys(prefix)) {
      const object = await this.find(key);
      if (key > after && object !== undefined) yield object;
    }
  }

  async *listFolders(folder: string): AsyncIterable<string> {
    const names = this.keys(folder).map((key) => key.slice(folder.length).split('/'));
    const folders = names.flatMap(([name, ...rest]) => (rest.length > 0 && name ? [name] : []));
    yield* new Set(folders);
  }

  async delete(key: string): Promise<void> {
    this.#objects.delete(key);
    return Promise.resolve();
  }

  /** All keys that begin so, in order. */
  keys(prefix = ''): string[] {
    return [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  async #set(key: string, bytes: Buffer, body: ObjectBody): Promise<void> {
    assertObjectKey(key);
    this.#objects.set(key, { bytes, modifiedAtMs: Date.now() });
    if ('file' in body) await rm(body.file, { force: true });
  }
}

async function bytesOf(body: ObjectBody): Promise<Buffer> {
  return 'file' in body ? readFile(body.file) : Buffer.from(body);
}
