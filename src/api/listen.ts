import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inputError } from '../errors.ts';
import type { Closable } from '../lifecycle.ts';

/** Answers under way may end within this time; then their connections are cut. */
const CLOSE_GRACE_MS = 1000;

/** Serves an app; `port` 0 takes a free one. Throws `port-in-use` or `address-not-available`. */
export async function listen(
  app: RequestListener,
  address: { readonly host: string; readonly port: number },
): Promise<Closable & { readonly port: number }> {
  const { host, port } = address;
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? inputError('CHALKREEL_PORT', `Port ${port} on ${host} is in use`, 'port-in-use')
          : inputError('CHALKREEL_HOST', `Cannot listen on ${host}:${port}: ${error.message}`),
      );
    });
    server.listen(port, host, resolve);
  });
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    await closed;
    clearTimeout(timer);
  };
  let closing: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    close: () => (closing ??= close()),
  };
}
