import { open, rm, type FileHandle } from 'node:fs/promises';

/** A clip's file while it is written: room for the header, then media data as it comes. Finish it or discard it. */
export class ClipFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #end: number;

  private constructor(path: string, handle: FileHandle, headerBytes: number) {
    this.path = path;
    this.#handle = handle;
    this.#end = headerBytes;
  }

  /** Makes the file, or empties the one of that name. */
  static async open(path: string, headerBytes: number): Promise<ClipFile> {
    return new ClipFile(path, await open(path, 'w'), headerBytes);
  }

  /** Bytes of the file, with the room for its header. */
  get length(): number {
    return this.#end;
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Makes last what is written; who stores the file later has little left to wait for. */
  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  /** Writes the header into its room, and closes the file. */
  async finish(header: Uint8Array): Promise<void> {
    await this.#write(header, 0);
    await this.#handle.close();
  }

  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await rm(this.path, { force: true });
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const rest = bytes.length - done;
      done += (await this.#handle.write(bytes, done, rest, position + done)).bytesWritten;
    }
  }
}
