import type { Readable } from 'node:stream';

export type ObjectInfo = {
  readonly key: string;
  readonly length: number;
  readonly modifiedAtMs: number;
};

/** Bytes of an object, the end exclusive. */
export type ObjectRange = { readonly start: number; readonly end: number };

/** Bytes to store: in memory, or a local file (which may be moved if the store is on the same disk). */
export type ObjectBody = Uint8Array | { readonly file: string };

/**
 * Where everything lasting is: a folder, or S3. Keys are `/`-separated, without `.` or `..` parts.
 * Writes are durable and whole when they resolve; readers never see half an object.
 */
export type ObjectStore = {
  /** Writes an object that must not exist yet. Throws `object-exists` when it does (nothing is changed). */
  putOnce(key: string, body: ObjectBody): Promise<void>;
  /** Writes or replaces an object in one step. */
  put(key: string, body: ObjectBody): Promise<void>;
  /** Undefined when there is no such object. */
  find(key: string): Promise<ObjectInfo | undefined>;
  /** The whole object, or a range of it, the end exclusive: what fits into memory. Throws `object-not-found`. */
  read(key: string, range?: ObjectRange): Promise<Buffer>;
  /** A range of it; the end is exclusive. Throws `object-not-found`. */
  openStream(key: string, range?: ObjectRange): Promise<Readable>;
  /** Objects whose keys start with `prefix`, and come after the key `after`, in key order. Costs by what it yields, not by what is before. */
  list(
    prefix: string,
    options?: { readonly after?: string | undefined },
  ): AsyncIterable<ObjectInfo>;
  /** Names of the folders right below `folder` (which ends with "/"), in order, without looking into them. */
  listFolders(folder: string): AsyncIterable<string>;
  /** Deletes if it exists. */
  delete(key: string): Promise<void>;
};
