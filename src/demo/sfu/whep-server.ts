import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { asChalkreelError } from '../../errors.ts';
import { delay, type Closable } from '../../lifecycle.ts';
import type { Log } from '../../log.ts';
import { startListening } from '../../start-listening.ts';
import { openJanusSession, type JanusHandle, type JanusSession } from './janus-client.ts';

/** A Janus that has gone is looked for this often. */
const RETRY_MS = 200;
const MAX_BODY_BYTES = 100_000;

export type WhepStream = {
  /** Janus's mountpoint. */
  readonly mountpoint: number;
  /** Whether a bearer token is good now; asked of each request. Without it, none is needed. */
  readonly isAllowed?: ((token: string) => boolean) | undefined;
};

export type WhepServer = Closable & {
  readonly port: number;
  /** Where a stream is watched. */
  urlOf(name: string): string;
  /** Whether Janus is there for viewers. */
  readonly isUp: boolean;
  /** How many watch now. */
  readonly viewers: number;
};

type Viewer = { readonly handle: JanusHandle; readonly name: string };

/**
 * WHEP (draft-ietf-wish-whep) for Janus's streaming plugin, on loopback. The plugin of Janus 1.1.2, which Debian has, makes the
 * offer itself, so a POST to /whep/NAME is met by the counter-offer that the draft has for this (406), to be answered by PATCH to the
 * session in Location. Goes on by itself when Janus was away: 503 meanwhile.
 */
export async function startWhepServer(options: {
  readonly janusUrl: string;
  readonly streams: ReadonlyMap<string, WhepStream>;
  readonly log: Log;
}): Promise<WhepServer> {
  const sfu = connectForEver(options.janusUrl, options.log);
  const viewers = new Map<string, Viewer>();
  const server = http.createServer((request, response) => {
    answer(request, response, { ...options, viewers, sfu }).catch((error: unknown) => {
      const { code, message } = asChalkreelError(error);
      options.log.debug({ code, error: message }, 'whep request failed');
      // what Janus refuses is an offer it can make nothing of
      reply(response, code === 'sfu-refused' ? 400 : 503, message);
    });
  });
  const port = await startListening(server, { host: '127.0.0.1', port: 0 });
  return {
    port,
    urlOf: (name) => `http://127.0.0.1:${port}/whep/${encodeURIComponent(name)}`,
    get isUp() {
      return sfu.session !== undefined;
    },
    get viewers() {
      return viewers.size;
    },
    close: async () => {
      await sfu.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Sfu = Closable & { readonly session: JanusSession | undefined };

/** Keeps a session with Janus, and gets another when it is lost. */
function connectForEver(url: string, log: Log): Sfu {
  const stop = new AbortController();
  let session: JanusSession | undefined;
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        session = await openJanusSession(url);
        await Promise.race([session.gone, aborted(stop.signal)]);
      } catch (error) {
        log.debug({ error: String(error) }, 'no session with Janus');
      }
      const lost = session;
      session = undefined;
      await lost?.close();
      await delay(RETRY_MS, stop.signal).catch(() => undefined);
    }
  };
  const running = run();
  return {
    get session() {
      return session;
    },
    close: async () => {
      stop.abort();
      await running;
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

type Context = {
  readonly streams: ReadonlyMap<string, WhepStream>;
  readonly viewers: Map<string, Viewer>;
  readonly sfu: Sfu;
};

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  context: Context,
): Promise<void> {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-allow-methods', 'POST, PATCH, DELETE');
  response.setHeader('access-control-allow-headers', '*, authorization');
  response.setHeader('access-control-expose-headers', 'location');
  if (request.method === 'OPTIONS') {
    reply(response, 204);
    return;
  }
  const [, folder, name = '', id] = new URL(request.url ?? '/', 'http://x').pathname
    .split('/')
    .map(decodeURIComponent);
  const stream = folder === 'whep' ? context.streams.get(name) : undefined;
  if (stream === undefined) {
    reply(response, 404, 'no such stream');
  } else if (!isAllowed(request, stream)) {
    response.setHeader('www-authenticate', 'Bearer');
    reply(response, 401, 'expected a bearer token that is good now');
  } else if (id === undefined) {
    await answerEndpoint(request, response, { ...context, name, stream });
  } else {
    await answerSession(request, response, { ...context, id });
  }
}

function isAllowed(request: http.IncomingMessage, { isAllowed: check }: WhepStream): boolean {
  const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  return check === undefined || (token !== undefined && check(token));
}

async function answerEndpoint(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { name, stream, viewers, sfu }: Context & { readonly name: string; readonly stream: WhepStream },
): Promise<void> {
  if (request.method !== 'POST') {
    reply(response, 405);
    return;
  }
  if (request.headers['content-type'] !== 'application/sdp') {
    reply(response, 415, 'expected application/sdp');
    return;
  }
  if (!(await readBody(request)).startsWith('v=0')) {
    reply(response, 400, 'expected SDP');
    return;
  }
  const { session } = sfu;
  if (session === undefined) {
    reply(response, 503, 'the SFU is away');
    return;
  }
  const handle = await session.attach('janus.plugin.streaming');
  try {
    const { jsep } = await handle.ask({ request: 'watch', id: stream.mountpoint });
    const id = randomUUID();
    viewers.set(id, { handle, name });
    void session.gone.then(() => viewers.delete(id));
    response.setHeader('location', `/whep/${encodeURIComponent(name)}/${id}`);
    reply(response, 406, jsep?.sdp ?? '', 'application/sdp');
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function answerSession(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { id, viewers }: Context & { readonly id: string },
): Promise<void> {
  const viewer = viewers.get(id);
  if (viewer === undefined) {
    reply(response, 404, 'no such session');
  } else if (request.method === 'DELETE') {
    viewers.delete(id);
    await viewer.handle.close();
    reply(response, 200);
  } else if (request.method === 'PATCH') {
    const fragment = await readBody(request);
    if (request.headers['content-type'] === 'application/sdp') {
      // Janus is to look for viewers on this machine only: they find it, and it answers
      const sdp = fragment.replace(/^a=candidate:.*\r?\n/gm, '');
      await viewer.handle.ask({ request: 'start' }, { type: 'answer', sdp });
      reply(response, 204);
      return;
    }
    reply(response, 204);
  } else {
    reply(response, 405);
  }
}

async function readBody(request: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MAX_BODY_BYTES) throw new Error(`body of more than ${MAX_BODY_BYTES} bytes`);
  }
  return text;
}

function reply(
  response: http.ServerResponse,
  status: number,
  body?: string,
  type = 'text/plain',
): void {
  if (response.headersSent) return;
  if (body !== undefined) response.setHeader('content-type', type);
  response.writeHead(status).end(body);
}
