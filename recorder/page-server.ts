import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Closable } from '../src/lifecycle.ts';
import type { RecordingSource } from '../src/model/recording.ts';
import { startListening } from '../src/start-listening.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};
const CLASSROOM_PATH = '/recorder/classroom/index.html';
/** No message of the recorder tab is larger than one key frame. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/** A link that one recorder tab may open once. `opened` is paused: resume it when its messages are listened to. */
export type LinkTicket = { readonly token: string; readonly opened: Promise<WebSocket> };

/**
 * Serves Chalkreel's own pages to the worker's browsers, on loopback, and takes the recorder tabs' links. The recorder page is
 * at 127.0.0.1 and the classroom page at localhost, so that they are different origins.
 */
export type PageServer = Closable & {
  readonly recorderUrl: string;
  readonly classroomUrl: string;
  readonly linkUrl: string;
  /**
   * The page on which a classroom tab waits for its capture, with this title and marks in its corners. Meanwhile it loads the
   * built-in classroom's code, if that is what comes next.
   */
  tokenUrl(title: string, next: RecordingSource['kind']): string;
  issueTicket(): LinkTicket;
};

/** Starts the server. `pagesDir` is what vite has built. */
export async function startPageServer(pagesDir: string): Promise<PageServer> {
  const tickets = new Map<string, (socket: WebSocket) => void>();
  const server = createServer((request, response) => {
    serve(pagesDir, request, response).catch(() => {
      send(response, 404, '.html', 'not found');
    });
  });
  const port = await startListening(server, { host: '127.0.0.1', port: 0 });
  const origin = `http://127.0.0.1:${port}`;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  server.on('upgrade', (request, socket, head) => {
    const accept = takeTicket(tickets, request, origin);
    if (accept === undefined) refuse(socket);
    else sockets.handleUpgrade(request, socket, head, accept);
  });
  return {
    recorderUrl: `${origin}/recorder/page/index.html`,
    classroomUrl: `http://localhost:${port}${CLASSROOM_PATH}`,
    linkUrl: `ws://127.0.0.1:${port}/link`,
    tokenUrl: (title, next) =>
      `http://localhost:${port}/token?next=${next}#${encodeURIComponent(title)}`,
    issueTicket: () => {
      const token = randomBytes(24).toString('base64url');
      const opened = new Promise<WebSocket>((resolve) => {
        tickets.set(token, (socket) => {
          // The tab may speak before anybody listens.
          socket.pause();
          resolve(socket);
        });
      });
      return { token, opened };
    },
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A ticket is good once, for the recorder page's origin only. */
function takeTicket(
  tickets: Map<string, (socket: WebSocket) => void>,
  request: IncomingMessage,
  origin: string,
): ((socket: WebSocket) => void) | undefined {
  const url = new URL(request.url ?? '/', origin);
  if (url.pathname !== '/link' || request.headers.origin !== origin) return undefined;
  const given = Buffer.from(url.searchParams.get('token') ?? '');
  for (const [token, accept] of tickets) {
    const expected = Buffer.from(token);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) continue;
    tickets.delete(token);
    return accept;
  }
  return undefined;
}

function refuse(socket: Duplex): void {
  socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
}

/** Throws when there is no such file. */
async function serve(
  pagesDir: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/token') {
    const preloads =
      searchParams.get('next') === 'classroom' ? await classroomScripts(pagesDir) : '';
    send(response, 200, '.html', TOKEN_PAGE + preloads);
    return;
  }
  const file = path.join(pagesDir, path.normalize(pathname));
  const extension = path.extname(file);
  if (!file.startsWith(pagesDir + path.sep) || TYPES[extension] === undefined) {
    send(response, 404, '.html', 'not found');
    return;
  }
  send(response, 200, extension, await readFile(file));
}

function send(
  response: ServerResponse,
  status: number,
  extension: string,
  body: string | Buffer,
): void {
  // A browser lives as long as one recording: what it has loaded once stays right.
  const caching = extension === '.html' ? 'no-store' : 'max-age=86400';
  response.writeHead(status, { 'content-type': TYPES[extension], 'cache-control': caching });
  response.end(body);
}

/** Links that load the built-in classroom's scripts beforehand; its page names them. */
async function classroomScripts(pagesDir: string): Promise<string> {
  const html = await readFile(path.join(pagesDir, CLASSROOM_PATH), 'utf8');
  return [...html.matchAll(/(?:src|href)="([^"]+\.js)"/g)]
    .map(([, script = '']) => path.posix.join(path.posix.dirname(CLASSROOM_PATH), script))
    .map((script) => `<link rel="modulepreload" href="${script}">`)
    .join('');
}

/**
 * Where a classroom tab waits for its capture. While that starts it is made to move a little (`chalkreelMove`), since a still page sends no
 * frames. It is black, which is what a lead-in looks like.
 */
const TOKEN_PAGE = `<!doctype html><meta charset="utf-8"><title>…</title>
<style>html,body{margin:0;height:100%;background:#000;overflow:hidden}i{position:absolute;width:8px;height:8px;background:#fff}
#a{left:0;top:0}#b{right:0;top:0}#c{left:0;bottom:0}#d{right:0;bottom:0}
b{position:absolute;left:50%;top:50%;width:8px;height:8px;background:#222}.moving b{animation:s .4s steps(4) infinite}@keyframes s{to{transform:translateX(32px)}}</style>
<i id="a"></i><i id="b"></i><i id="c"></i><i id="d"></i><b></b>
<script>document.title=decodeURIComponent(location.hash.slice(1))
chalkreelMove=()=>{document.body.className='moving';return true}</script>`;
