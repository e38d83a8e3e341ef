import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** Tries for a port with a free neighbour. */
const MAX_TRIES = 1000;

/**
 * Free UDP ports on loopback, even ones, whose odd neighbours (where RTCP goes, RFC 3550 §11) are free as well. Somebody else may
 * take one before it is used: whoever binds it finds out.
 */
export async function findUdpPorts(count: number): Promise<readonly number[]> {
  const sockets: Socket[] = [];
  const ports: number[] = [];
  try {
    for (let tries = 0; ports.length < count; tries++) {
      if (tries > MAX_TRIES) throw new Error(`expected ${count} free UDP ports on loopback`);
      const first = await bind(0);
      if (first === undefined) continue;
      sockets.push(first);
      const { port } = first.address();
      if (port % 2 === 1) continue;
      const second = await bind(port + 1);
      if (second === undefined) continue;
      sockets.push(second);
      ports.push(port);
    }
    return ports;
  } finally {
    await Promise.all(sockets.map((socket) => close(socket)));
  }
}

/** A free TCP port on loopback. */
export async function findTcpPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Undefined when the port is taken. */
async function bind(port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return socket;
  } catch {
    return undefined;
  }
}

function close(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
