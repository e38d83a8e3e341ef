import { open, stat } from 'node:fs/promises';
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

/** Where an input's bytes come from: a folder or a server. */
export type Source = { readonly input: Uint8Array; readonly readObject: ReadObject };

/** Opens a path or an http(s) URL; throws UnreadableInput. `bearer` goes to the input's own origin only. */
export async function openSource(target: string, bearer?: string): Promise<Source> {
  const isUrl = /^[a-z][a-z\d+.-]+:\/\//i.test(target);
  const base = isUrl ? undefined : path.resolve(target);
  const readObject: ReadObject = async (uri, range) => {
    const url = isUrl ? new URL(uri, target) : undefined;
    if (url) return fetchBytes(url, { range, bearer: bearerFor(url, target, bearer) });
    if (/^https?:\/\//.test(uri)) return fetchBytes(new URL(uri), { range, bearer: undefined });
    const file = decodeURIComponent(uri.split(/[?#]/)[0] ?? '');
    return readFileBytes(path.resolve(path.dirname(base ?? ''), file), range);
  };
  try {
    const input = isUrl ? await readObject(target) : await readFileBytes(base ?? target, undefined);
    return { input, readObject };
  } catch (error) {
    throw new UnreadableInput(`${target}: ${reasonOf(error)}`);
  }
}

/** The reason inside an unknown error, in one line. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
}

function bearerFor(url: URL, target: string, bearer: string | undefined): string | undefined {
  return url.origin === new URL(target).origin ? bearer : undefined;
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
