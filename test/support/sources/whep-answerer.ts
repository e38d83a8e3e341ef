import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Closable } from '../../../src/lifecycle.ts';
import { serveOnLoopback } from '../page-server.ts';
import type { BrowserPublisher } from './browser-publisher.ts';

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST, PATCH, DELETE',
  'access-control-allow-headers': '*, authorization',
  'access-control-expose-headers': 'location, retry-after',
};

/** What a WHEP server is to do with the next offers, instead of answering them. */
export type Refusal = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A WHEP server as the draft has it: a viewer's offer is answered (201), by a browser that sends its camera. */
export type WhepAnswerer = Closable & {
  readonly url: string;
  /** Set it, and offers are refused so. */
  refusal: Refusal | undefined;
  /** Requests as they came: method and path. */
  readonly requests: readonly string[];
  /** When offers came, by performance.now(). */
  readonly offeredMs: readonly number[];
  /** Sessions that are open: answered, and not yet deleted. */
  readonly sessions: number;
};

/** Starts it. Locations are relative to the endpoint, which has a query, as real servers' may be. */
export async function serveWhepAnswers(publisher: BrowserPublisher): Promise<WhepAnswerer> {
  const requests: string[] = [];
  const offeredMs: number[] = [];
  const sessions = new Map<string, number>();
  const state: { refusal: Refusal | undefined } = { refusal: undefined };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '' } = request;
    if (method === 'OPTIONS') {
      response.writeHead(204, CORS).end();
      return;
    }
    requests.push(`${method} ${url}`);
    if (method === 'POST') {
      offeredMs.push(performance.now());
      const offer = await readText(request);
      if (state.refusal !== undefined) {
        response.writeHead(state.refusal.status, { ...CORS, ...state.refusal.headers }).end();
        return;
      }
      const { id, sdp } = await publisher.answer(offer);
      sessions.set(`/live/sessions/${id}`, id);
      const headers = { 'content-type': 'application/sdp', location: `sessions/${id}` };
      response.writeHead(201, { ...CORS, ...headers, etag: `"${id}"` }).end(sdp);
    } else if (method === 'DELETE') {
      const id = sessions.get(url);
      sessions.delete(url);
      if (id !== undefined) await publisher.end(id);
      response.writeHead(id === undefined ? 404 : 200, CORS).end();
    } else response.writeHead(405, CORS).end();
  };
  const server = await serveOnLoopback((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  return {
    url: `${server.url}/live/whep?room=1`,
    requests,
    offeredMs,
    get refusal() {
      return state.refusal;
    },
    set refusal(refusal) {
      state.refusal = refusal;
    },
    get sessions() {
      return sessions.size;
    },
    close: () => server.close(),
  };
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
