import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Closable } from '../../src/lifecycle.ts';

/** A page by its path: HTML, or bytes with their type. */
export type ServedPages = Readonly<
  Record<string, string | { readonly type: string; readonly body: Uint8Array }>
>;

/** Serves pages on a free port of this machine. `url` has no slash at its end. Close it. */
export async function servePages(pages: ServedPages): Promise<Closable & { readonly url: string }> {
  const server = createServer((request, response) => {
    const page = pages[new URL(request.url ?? '/', 'http://127.0.0.1').pathname];
    if (page === undefined) {
      response.writeHead(404).end();
    } else if (typeof page === 'string') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
    } else {
      response.writeHead(200, { 'content-type': page.type }).end(page.body);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
