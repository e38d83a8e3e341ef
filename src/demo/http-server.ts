import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { ChalkreelError } from '../errors.ts';
import type { Closable } from '../lifecycle.ts';
import type { CameraFeed } from './camera-feed.ts';
import type { BlockUntil } from './live-stream.ts';

const HOST = '127.0.0.1';

export type ClassroomServer = Closable & { readonly port: number };
export type ClassroomServerOptions = {
  /** 0 takes a free one. */
  readonly port: number;
  /** Keyed by participant id. */
  readonly feeds: ReadonlyMap<string, CameraFeed>;
  /** Keyed by path. */
  readonly sockets: ReadonlyMap<string, WebSocketServer>;
  /** What `GET /` answers: the class as a platform would describe it. */
  readonly describe: (port: number) => unknown;
};

/** Serves cameras (`/camera/<participant>/index.m3u8`) and WebSockets on loopback, to pages of any origin. */
export async function startClassroomServer(
  options: ClassroomServerOptions,
): Promise<ClassroomServer> {
  const server = http.createServer((request, response) => {
    void answer(request, response, options).catch(() => response.destroy());
  });
  // an upgraded connection is no longer the HTTP server's to close, but it waits for it
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.on('close', () => upgraded.delete(socket));
    upgrade(request, socket, head, options);
  });
  await listen(server, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
        for (const socket of upgraded) socket.destroy();
      }),
  };
}

async function listen(server: http.Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = `Demo classroom: expected port ${port} of ${HOST} to be free: ${error.message}.`;
      const code = error.code === 'EADDRINUSE' ? 'port-in-use' : 'listen-failed';
      reject(
        new ChalkreelError(code, why, { fault: 'input', cause: error, details: { field: 'port' } }),
      );
    });
    server.listen(port, HOST, resolve);
  });
}

function upgrade(
  request: http.IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: ClassroomServerOptions,
): void {
  const sockets = options.sockets.get(urlOf(request).pathname);
  socket.on('error', () => socket.destroy());
  if (sockets === undefined) {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    return;
  }
  sockets.handleUpgrade(request, socket, head, (client) => {
    sockets.emit('connection', client, request);
  });
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  options: ClassroomServerOptions,
): Promise<void> {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-allow-headers', '*');
  const url = urlOf(request);
  if (request.method === 'OPTIONS') {
    reply(response, 204);
    return;
  }
  if (request.method !== 'GET') {
    reply(response, 405);
    return;
  }
  if (url.pathname === '/') {
    const description = JSON.stringify(options.describe(request.socket.localPort ?? 0), null, 2);
    reply(response, 200, 'application/json; charset=utf-8', description);
    return;
  }
  const match = /^\/camera\/([^/]+)\/([^/]+)$/.exec(url.pathname);
  const feed = match === null ? undefined : options.feeds.get(match[1] ?? '');
  if (feed === undefined) {
    reply(response, 404);
    return;
  }
  await answerCamera(response, feed, match?.[2] ?? '', blockUntil(url));
}

async function answerCamera(
  response: http.ServerResponse,
  feed: CameraFeed,
  file: string,
  until: BlockUntil | undefined,
): Promise<void> {
  if (file === 'index.m3u8') {
    const playlist = await feed.stream.playlist(until);
    response.setHeader('cache-control', 'no-store');
    if (playlist === undefined) {
      reply(response, 503, 'text/plain', 'The camera is off.\n');
      return;
    }
    reply(response, 200, 'application/vnd.apple.mpegurl', playlist);
    return;
  }
  const media = feed.stream.find(file);
  if (media === undefined) {
    reply(response, 404);
    return;
  }
  reply(response, 200, file.endsWith('.mp4') ? 'video/mp4' : 'video/iso.segment', media);
}

/** Delivery directives of RFC 8216bis §6.2.5. */
function blockUntil(url: URL): BlockUntil | undefined {
  const msn = url.searchParams.get('_HLS_msn');
  if (msn === null || !/^\d{1,15}$/.test(msn)) return undefined;
  const part = url.searchParams.get('_HLS_part');
  // without a part, the whole segment is waited for
  if (part === null) return { msn: Number(msn), part: Infinity };
  return { msn: Number(msn), part: /^\d{1,6}$/.test(part) ? Number(part) : 0 };
}

function urlOf(request: http.IncomingMessage): URL {
  try {
    return new URL(request.url ?? '/', `http://${HOST}`);
  } catch {
    return new URL(`http://${HOST}/not-found`);
  }
}

function reply(
  response: http.ServerResponse,
  status: number,
  type?: string,
  body?: string | Buffer,
): void {
  if (type !== undefined) response.setHeader('content-type', type);
  response.writeHead(status).end(body);
}
