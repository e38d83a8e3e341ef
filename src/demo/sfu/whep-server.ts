import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { asChalkreelError } from '../../errors.ts';
import { delay, type Closable } from '../../lifecycle.ts';
import type { Log } from '../../log.ts';
import { startListening } from '../../start-listening.ts';
import { away, readBody, reply } from './http-answers.ts';
import { openJanusSession, type JanusHandle, type JanusSession } from './janus-client.ts';
import { publishToRoom, watchRoom, type RoomPeer } from './video-room.ts';

/** A Janus that has gone is looked for this often. */
const RETRY_MS = 200;

export type WhepStream = {
  /** Where Janus has it from: RTP that is sent to a mountpoint, or a browser that publishes it as a feed by WHIP. */
  readonly from: { readonly mountpoint: number } | { readonly feed: number };
  /** Whether a bearer token is good now; asked of each request. Without it, none is needed. */
  readonly isAllowed?: ((token: string) => boolean) | undefined;
};

export type WhepServer = Closable & {
  readonly port: number;
  /** Where a stream is watched. */
  urlOf(name: string): string;
  /** Where a browser publishes a stream that is a feed (WHIP, RFC 9725). */
  publishUrlOf(name: string): string;
  /** Whether Janus is there for viewers. */
  readonly isUp: boolean;
  /** How many watch now. */
  readonly viewers: number;
};

type Peer = { readonly handle: JanusHandle; readonly name: string };

/**
 * WHEP (draft-ietf-wish-whep) and WHIP (RFC 9725) for Janus's streaming plugin and videoroom, on loopback. To viewers the plugins of
 * Janus 1.1.2, which Debian has, make the offer themselves, so a POST to /whep/NAME is met by the counter-offer that the draft has for
 * this (406), to be answered by PATCH to the session in Location; a POST to /whip/NAME is answered (201). Goes on by itself when Janus
 * was away: 503 meanwhile.
 */
export async function startWhepServer(options: {
  readonly janusUrl: string;
  readonly streams: ReadonlyMap<string, WhepStream>;
  readonly log: Log;
}): Promise<WhepServer> {
  const viewers = new Map<string, Peer>();
  const publishers = new Map<string, Peer>();
  const sfu = connectForEver(options.janusUrl, options.log, (handleId) => {
    // whose connection has ended without a word; a publisher makes room for its next try
    for (const peers of [viewers, publishers]) {
      for (const [id, { handle }] of peers) if (handle.id === handleId) void leave(peers, id);
    }
  });
  const server = http.createServer((request, response) => {
    const context = { ...options, viewers, publishers, sfu };
    answer(request, response, context).catch((error: unknown) => {
      const { code, message } = asChalkreelError(error);
      options.log.debug({ code, error: message }, 'whep request failed');
      if (code === 'sfu-no-stream') reply(response, 404, 'nobody publishes this stream now');
      // what Janus refuses is an offer it can make nothing of
      else if (code === 'sfu-refused') reply(response, 400, message);
      else away(response, message);
    });
  });
  const port = await startListening(server, { host: '127.0.0.1', port: 0 });
  return {
    port,
    urlOf: (name) => `http://127.0.0.1:${port}/whep/${encodeURIComponent(name)}`,
    publishUrlOf: (name) => `http://127.0.0.1:${port}/whip/${encodeURIComponent(name)}`,
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
function connectForEver(url: string, log: Log, onHangup: (handleId: number) => void): Sfu {
  const stop = new AbortController();
  let session: JanusSession | undefined;
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        session = await openJanusSession(url, onHangup);
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
  readonly viewers: Map<string, Peer>;
  readonly publishers: Map<string, Peer>;
  readonly sfu: Sfu;
};
type Endpoint = Context & { readonly name: string; readonly stream: WhepStream };

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  context: Context,
): Promise<void> {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-allow-methods', 'POST, PATCH, DELETE');
  response.setHeader('access-control-allow-headers', '*, authorization');
  response.setHeader('access-control-expose-headers', 'location, retry-after');
  if (request.method === 'OPTIONS') {
    reply(response, 204);
    return;
  }
  const [, folder, name = '', id] = new URL(request.url ?? '/', 'http://x').pathname
    .split('/')
    .map(decodeURIComponent);
  const stream = context.streams.get(name);
  const isWhip = folder === 'whip';
  if (stream === undefined || !(isWhip ? 'feed' in stream.from : folder === 'whep')) {
    reply(response, 404, 'no such stream');
  } else if (!isAllowed(request, stream)) {
    response.setHeader('www-authenticate', 'Bearer');
    reply(response, 401, 'expected a bearer token that is good now');
  } else if (id === undefined) {
    await answerEndpoint(request, response, { ...context, name, stream, isWhip });
  } else {
    const peers = isWhip ? context.publishers : context.viewers;
    await answerSession(request, response, { id, peers });
  }
}

function isAllowed(request: http.IncomingMessage, { isAllowed: check }: WhepStream): boolean {
  const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  return check === undefined || (token !== undefined && check(token));
}

async function answerEndpoint(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  endpoint: Endpoint & { readonly isWhip: boolean },
): Promise<void> {
  if (request.method !== 'POST') {
    reply(response, 405);
    return;
  }
  if (request.headers['content-type'] !== 'application/sdp') {
    reply(response, 415, 'expected application/sdp');
    return;
  }
  const offer = await readBody(request);
  if (!offer.startsWith('v=0')) {
    reply(response, 400, 'expected SDP');
    return;
  }
  const { session } = endpoint.sfu;
  if (session === undefined) {
    away(response, 'the SFU is away');
  } else if (endpoint.isWhip) {
    welcome(response, { ...endpoint, session, peer: await publish(session, offer, endpoint) });
  } else {
    welcome(response, { ...endpoint, session, peer: await watch(session, endpoint.stream) });
  }
}

/** Keeps who has come until they go, and sends them Janus's SDP: its answer to a publisher, its own offer to a viewer. */
function welcome(
  response: http.ServerResponse,
  {
    name,
    isWhip,
    session,
    peer,
    ...context
  }: Endpoint & {
    readonly isWhip: boolean;
    readonly session: JanusSession;
    readonly peer: RoomPeer;
  },
): void {
  const id = randomUUID();
  const peers = isWhip ? context.publishers : context.viewers;
  peers.set(id, { handle: peer.handle, name });
  void session.gone.then(() => peers.delete(id));
  response.setHeader('location', `/${isWhip ? 'whip' : 'whep'}/${encodeURIComponent(name)}/${id}`);
  reply(response, isWhip ? 201 : 406, peer.sdp, 'application/sdp');
}

/** A publisher who comes again has lost its connection, and takes its own place. */
async function publish(
  session: JanusSession,
  offer: string,
  { name, stream: { from }, publishers }: Endpoint,
): Promise<RoomPeer> {
  if (!('feed' in from)) throw new Error(`stream ${name} is sent by RTP`);
  for (const [id, before] of publishers) if (before.name === name) await leave(publishers, id);
  return publishToRoom(session, { feed: from.feed, name, offer: withoutCandidates(offer) });
}

async function watch(session: JanusSession, { from }: WhepStream): Promise<RoomPeer> {
  if ('feed' in from) return watchRoom(session, from.feed);
  const handle = await session.attach('janus.plugin.streaming');
  try {
    const { jsep } = await handle.ask({ request: 'watch', id: from.mountpoint });
    return { handle, sdp: jsep?.sdp ?? '' };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function leave(peers: Map<string, Peer>, id: string): Promise<void> {
  const peer = peers.get(id);
  peers.delete(id);
  await peer?.handle.close();
}

/** Janus is to look for browsers on this machine only: they find it, and it answers. */
function withoutCandidates(sdp: string): string {
  return sdp.replace(/^a=candidate:.*\r?\n/gm, '');
}

async function answerSession(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { id, peers }: { readonly id: string; readonly peers: Map<string, Peer> },
): Promise<void> {
  const peer = peers.get(id);
  if (peer === undefined) {
    reply(response, 404, 'no such session');
  } else if (request.method === 'DELETE') {
    await leave(peers, id);
    reply(response, 200);
  } else if (request.method === 'PATCH') {
    const fragment = await readBody(request);
    if (request.headers['content-type'] === 'application/sdp') {
      const sdp = withoutCandidates(fragment);
      await peer.handle.ask({ request: 'start' }, { type: 'answer', sdp });
      reply(response, 204);
      return;
    }
    reply(response, 204);
  } else {
    reply(response, 405);
  }
}
