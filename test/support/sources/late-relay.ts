import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Closable } from '../../../src/lifecycle.ts';
import { serveOnLoopback } from '../page-server.ts';

export type LatenessOptions = {
  /** Every datagram is this late, and up to `jitterMs` more, each for itself: some overtake others. */
  readonly delayMs: number;
  readonly jitterMs: number;
};

/** A bad line to a WHEP server: hands on its HTTP as it is, and its media late, by a relay named in place of the server. */
export async function openLateRelay(
  whepUrl: string,
  lateness: LatenessOptions,
): Promise<Closable & { urlOf(name: string): string }> {
  const sockets: Socket[] = [];
  const relay = async (port: string): Promise<string> => {
    const [front, back] = await Promise.all([openSocket(), openSocket()]);
    sockets.push(front, back);
    join({ front, back, port: Number(port) }, lateness);
    return String(front.address().port);
  };
  const hand = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = await fetch(new URL(request.url ?? '/', whepUrl), await asInit(request));
    const sdp = await answer.text();
    const [candidate, port] = /127\.0\.0\.1 (\d+) typ host/.exec(sdp) ?? [];
    const body =
      candidate === undefined || port === undefined
        ? sdp
        : sdp.replaceAll(candidate, `127.0.0.1 ${await relay(port)} typ host`);
    const kept = [...answer.headers].filter(([name]) => /^access-|^location|type$/.test(name));
    response.writeHead(answer.status, Object.fromEntries(kept));
    response.end(answer.status === 204 ? undefined : body);
  };
  const server = await serveOnLoopback((request, response) => {
    hand(request, response).catch(() => response.destroy());
  });
  return {
    urlOf: (name) => `${server.url}/whep/${name}`,
    close: async () => {
      await server.close();
      for (const socket of sockets) socket.close();
    },
  };
}

async function asInit(request: IncomingMessage): Promise<RequestInit> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const { authorization, 'content-type': type } = request.headers;
  return {
    method: request.method ?? 'GET',
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(type === undefined ? {} : { 'content-type': type }),
    },
    ...(body === '' ? {} : { body }),
  };
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('error', () => undefined); // a viewer that has gone
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

function join(
  { front, back, port }: { readonly front: Socket; readonly back: Socket; readonly port: number },
  { delayMs, jitterMs }: LatenessOptions,
): void {
  let viewer: { readonly address: string; readonly port: number } | undefined;
  const later = (act: () => void): void => {
    setTimeout(act, delayMs + Math.random() * jitterMs);
  };
  const send = (socket: Socket, data: Buffer, to: number): void => {
    try {
      socket.send(data, to, '127.0.0.1');
    } catch {
      // closed meanwhile
    }
  };
  front.on('message', (data, from) => {
    viewer = from;
    later(() => send(back, data, port));
  });
  back.on('message', (data) => {
    later(() => {
      if (viewer !== undefined) send(front, data, viewer.port);
    });
  });
}
