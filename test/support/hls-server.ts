import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Closable } from '../../src/lifecycle.ts';
import { serveOnLoopback } from './page-server.ts';

/** A server of one folder's files, `url` without a slash at its end. */
export type HlsServer = Closable & { readonly url: string };

const TYPES: Readonly<Record<string, string>> = {
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.ts': 'video/mp2t',
  '.mp4': 'video/mp4',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
};
const HLS_JS = path.join(path.dirname(fileURLToPath(import.meta.resolve('hls.js'))), 'hls.js');

/**
 * Serves a folder on a free port of this machine, as it is at each request, ranges of files too, besides `/hls.js` and `virtual` files, which are made
 * anew for each request. Close it.
 */
export async function serveHls(
  folder: string,
  virtual: Readonly<Record<string, () => string>> = {},
): Promise<HlsServer> {
  const read = async (name: string): Promise<string | Buffer> => {
    if (name === 'hls.js') return readFile(HLS_JS);
    return virtual[name]?.() ?? readFile(path.join(folder, path.normalize(`/${name}`)));
  };
  return serveOnLoopback((request, response) => {
    const name = decodeURIComponent(
      new URL(request.url ?? '/', 'http://127.0.0.1').pathname.slice(1),
    );
    read(name).then(
      (body) => {
        const type = TYPES[path.extname(name)] ?? 'application/octet-stream';
        const headers = { 'content-type': type, 'cache-control': 'no-store' };
        const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
        if (start === undefined || typeof body === 'string') {
          response.writeHead(200, headers).end(body);
          return;
        }
        const range = { 'content-range': `bytes ${start}-${end ?? ''}/${body.length}` };
        const part = body.subarray(Number(start), Number(end) + 1);
        response.writeHead(206, { ...headers, ...range }).end(part);
      },
      () => {
        response.writeHead(404).end();
      },
    );
  });
}
