import { createServer, type RequestListener } from 'node:http';
import type { Closable } from '../../src/lifecycle.ts';
import { startListening } from '../../src/start-listening.ts';

/** A page by its path: HTML, or bytes with their type. */
export type ServedPages = Readonly<
  Record<string, string | { readonly type: string; readonly body: Uint8Array }>
>;

/** Serves pages on a free port of this machine. `url` has no slash at its end. Close it. */
export async function servePages(
  pages: ServedPages,
  host = '127.0.0.1',
): Promise<Closable & { readonly url: string }> {
  const listener: RequestListener = (request, response) => {
    const page = pages[new URL(request.url ?? '/', 'http://127.0.0.1').pathname];
    if (page === undefined) {
      response.writeHead(404).end();
    } else if (typeof page === 'string') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
    } else {
      response.writeHead(200, { 'content-type': page.type }).end(page.body);
    }
  };
  return serveOn(host, listener);
}

/** The same with answers of the caller's. */
export async function serveOnLoopback(
  listener: RequestListener,
): Promise<Closable & { readonly url: string }> {
  return serveOn('127.0.0.1', listener);
}

async function serveOn(
  host: string,
  listener: RequestListener,
): Promise<Closable & { readonly url: string }> {
  const server = createServer(listener);
  const port = await startListening(server, { host, port: 0 });
  return {
    url: `http://${host}:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
