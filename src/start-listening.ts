import type { AddressInfo, Server } from 'node:net';
import { inputError } from './errors.ts';

/** Lets a server listen and resolves with its port; `port` 0 takes a free one. Throws `port-in-use`, or what else is wrong with the address. */
export async function startListening(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
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
  return (server.address() as AddressInfo).port;
}
