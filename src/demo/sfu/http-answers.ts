import type http from 'node:http';

const MAX_BODY_BYTES = 100_000;

/** Says 503: soon there again, or not, but worth asking in a second. */
export function away(response: http.ServerResponse, why: string): void {
  if (!response.headersSent) response.setHeader('retry-after', '1');
  reply(response, 503, why);
}

/** A request's body as text. Throws when it is too long for any SDP. */
export async function readBody(request: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MAX_BODY_BYTES) throw new Error(`body of more than ${MAX_BODY_BYTES} bytes`);
  }
  return text;
}

/** Answers, once: what comes after that is dropped. */
export function reply(
  response: http.ServerResponse,
  status: number,
  body?: string,
  type = 'text/plain',
): void {
  if (response.headersSent) return;
  if (body !== undefined) response.setHeader('content-type', type);
  response.writeHead(status).end(body);
}
