import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ByteRange } from './playlist/parse.ts';

/** Longest wait for one answer of a server. */
const FETCH_TIMEOUT_MS = 30_000;

/** The input itself cannot be read: nothing can be checked. */
export class UnreadableInput extends Error {
  override readonly name = 'UnreadableInput';
}

/** Reads one object relative to the input; throws Error with the reason when it cannot. */
export type ReadObject = (uri: string, range?: ByteRange) => Promise<Uint8Array>;

/** Reads the input again, as a server gives it now; `query` is added to its URL. Only of a URL. */
export type ReadAgain = (query?: Readonly<Record<string, string>>) => Promise<Uint8Array>;

/** Where an input's bytes come from: a folder or a server. */
export type Source = {
  readonly input: Uint8Array;
  readonly readObject: ReadObject;
  readonly readAgain: ReadAgain | undefined;
};

/** What is checked in a folder, and in the folders of a demo, in this order. */
const CHECKED_FILES = ['index.m3u8', 'clip.m3u8', 'clip.mp4'];
const CHECKED_FOLDERS = ['.', 'recording', 'clip'];

/** The inputs that a path or URL stands for: itself, or what a folder has to check; throws UnreadableInput. */
export async function findTargets(target: string): Promise<string[]> {
  const isFolder = !isUrl(target) && (await stat(target).catch(() => undefined))?.isDirectory();
  if (!isFolder) return [target];
  const found: string[] = [];
  for (const folder of CHECKED_FOLDERS) {
    const names = await readdir(path.join(target, folder)).catch((): string[] => []);
    const checked = CHECKED_FILES.filter((file) => names.includes(file));
    found.push(...checked.map((file) => path.join(target, folder, file)));
  }
  if (found.length > 0) return found;
  throw new UnreadableInput(`${target}: there is no ${CHECKED_FILES.join(', ')} in this folder`);
}

function isUrl(target: string): boolean {
  return /^[a-z][a-z\d+.-]+:\/\//i.test(target);
}

/** Opens a path or an http(s) URL; throws UnreadableInput. `bearer` and the URL's query go to its own origin only. */
export async function openSource(target: string, bearer?: string): Promise<Source> {
  try {
    return isUrl(target)
      ? await openServer(new URL(target), bearer)
      : await openFile(path.resolve(target));
  } catch (error) {
    throw new UnreadableInput(`${target}: ${reasonOf(error)}`);
  }
}

async function openServer(base: URL, bearer: string | undefined): Promise<Source> {
  const read = (url: URL, range?: ByteRange): Promise<Uint8Array> =>
    fetchBytes(url, { range, bearer: url.origin === base.origin ? bearer : undefined });
  return {
    input: await read(base),
    readObject: async (uri, range) => read(resolveSegment(uri, base), range),
    readAgain: async (query = {}) => {
      const url = new URL(base);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      return read(url);
    },
  };
}

/** A segment's URL; one on the same origin without a query of its own inherits the signed one. */
function resolveSegment(uri: string, base: URL): URL {
  const url = new URL(uri, base);
  if (url.origin !== base.origin || url.search !== '') return url;
  for (const [name, value] of base.searchParams) {
    // Delivery directives (RFC 8216bis §6.2.5) are about the playlist.
    if (!name.startsWith('_HLS_')) url.searchParams.append(name, value);
  }
  return url;
}

async function openFile(file: string): Promise<Source> {
  return {
    input: await readFileBytes(file, undefined),
    readObject: async (uri, range) => {
      if (isUrl(uri)) return fetchBytes(new URL(uri), { range, bearer: undefined });
      const name = decodeURIComponent(uri.split(/[?#]/)[0] ?? '');
      return readFileBytes(path.resolve(path.dirname(file), name), range);
    },
    readAgain: undefined,
  };
}

/** The reason inside an unknown error, in one line. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
}

type FetchOptions = { range: ByteRange | undefined; bearer: string | undefined };

async function fetchBytes(url: URL, { range, bearer }: FetchOptions): Promise<Uint8Array> {
  if (!/^https?:$/.test(url.protocol)) throw new Error(`${url.protocol} is not http or https`);
  const headers = new Headers();
  if (bearer !== undefined) headers.set('authorization', `Bearer ${bearer}`);
  if (range) headers.set('range', `bytes=${range.offset}-${range.offset + range.length - 1}`);
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
  const response = await fetch(url, { headers, signal });
  if (!response.ok) throw new Error(`the server answers ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (!range || response.status === 206) return bytes;
  return bytes.subarray(range.offset, range.offset + range.length);
}

async function readFileBytes(file: string, range: ByteRange | undefined): Promise<Uint8Array> {
  if (!(await stat(file)).isFile()) throw new Error(`${file} is not a file`);
  const handle = await open(file);
  try {
    if (!range) return await handle.readFile();
    const bytes = new Uint8Array(range.length);
    const { bytesRead } = await handle.read(bytes, 0, range.length, range.offset);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
