import { createServer, type RequestListener } from 'node:http';
import type { Closable } from '../lifecycle.ts';
import { startListening } from '../start-listening.ts';

/** Answers under way may end within this time; then their connections are cut. */
const CLOSE_GRACE_MS = 1000;

/** Serves an app; `port` 0 takes a free one. Throws `port-in-use` or `address-not-available`. */
export async function listen(
  app: RequestListener,
  address: { readonly host: string; readonly port: number },
): Promise<Closable & { readonly port: number }> {
  const server = createServer(app);
  const port = await startListening(server, address);
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
    port,
    close: () => (closing ??= close()),
  };
}
