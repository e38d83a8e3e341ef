import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { ChalkreelError } from '../errors.ts';
import type { SegmentPlace } from '../model/segment.ts';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import { accessOf } from './access.ts';

/** What is no longer, a segment, is read in one step and not as a stream: that costs half. */
const WHOLE_BYTES = 1024 * 1024;

/** Streams a place in the store; answers ranges (RFC 9110 §14). What is served this way never changes. */
export async function sendObject(
  request: Request,
  response: Response,
  options: {
    readonly store: ObjectStore;
    readonly place: SegmentPlace;
    readonly contentType: string;
  },
): Promise<void> {
  const { store, place } = options;
  const { offset, length } = place;
  const scope = accessOf(response).by === 'link' ? 'public' : 'private';
  response.set({
    'Accept-Ranges': 'bytes',
    'Cache-Control': `${scope}, max-age=31536000, immutable`,
    'Content-Type': options.contentType,
    ETag: `"${Buffer.from(`${place.object}:${offset}:${length}`).toString('base64url')}"`,
  });
  if (request.fresh) {
    response.status(304).end();
    return;
  }
  const range = planRange(request, length);
  if (range === 'unsatisfiable') {
    response.removeHeader('Cache-Control');
    response.status(416).set('Content-Range', `bytes */${length}`).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: length };
  if (range !== undefined) {
    response.status(206).set('Content-Range', `bytes ${start}-${end - 1}/${length}`);
  }
  if (request.method === 'HEAD') {
    response.set('Content-Length', String(end - start)).end();
    return;
  }
  const part = { start: offset + start, end: offset + end };
  response.set('Content-Length', String(end - start));
  if (end - start <= WHOLE_BYTES) {
    const bytes = await store.read(place.object, part);
    if (bytes.length < end - start) throw cutShort(place);
    response.end(bytes);
    return;
  }
  const stream = await store.openStream(place.object, part);
  await pipeline(stream, response).catch((error: unknown) => {
    if (!isClientGone(error)) throw error;
  });
}

function cutShort({ object, offset, length }: SegmentPlace): ChalkreelError {
  const message = `Expected ${length} bytes at ${offset} of object ${object}: it is shorter`;
  return new ChalkreelError('object-cut-short', message);
}

/** The range that is asked for, its end exclusive; several at once are answered with the whole, as RFC 9110 allows. */
export function planRange(
  request: Request,
  length: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  const ranges = request.range(length, { combine: true });
  if (ranges === undefined || ranges === -2) return undefined;
  if (ranges === -1) return 'unsatisfiable';
  const [range] = ranges;
  if (ranges.type !== 'bytes' || ranges.length !== 1 || range === undefined) return undefined;
  return { start: range.start, end: range.end + 1 };
}

/** Whether a stream broke off because nobody reads it any more: no fault of ours. */
export function isClientGone(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' || code === 'EPIPE';
}
