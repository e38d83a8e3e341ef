import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

/** A file of an output, whole: its name within the output, and where it is now. */
export type JoinedFile = {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
};

/** A file that is written from its start to its end, hashed on the way. */
export class OutFile {
  readonly #name: string;
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  #bytes = 0;

  private constructor(name: string, file: string, handle: FileHandle) {
    this.#name = name;
    this.#file = file;
    this.#handle = handle;
  }

  /** Makes the file, replacing one that was left over. The caller finishes or closes it. */
  static async create(folder: string, name: string): Promise<OutFile> {
    const file = path.join(folder, name);
    return new OutFile(name, file, await open(file, 'w'));
  }

  /** Where the next byte goes. */
  get bytes(): number {
    return this.#bytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#handle.writeFile(bytes);
  }

  async finish(): Promise<JoinedFile> {
    await this.close();
    const sha256 = this.#hash.digest('hex');
    return { name: this.#name, file: this.#file, bytes: this.#bytes, sha256 };
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}
