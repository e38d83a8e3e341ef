import { Router, type Request, type RequestHandler, type Response } from 'express';
import { ChalkreelError } from '../errors.ts';
import type { PlaylistBytes, PlaylistForm } from '../media/growing-playlist.ts';
import { isFinal } from '../model/recording.ts';
import type { SegmentEntry } from '../model/segment.ts';
import type { Link } from '../access/links.ts';
import { accessOf, allowed, expectRight, foreign, idOf, linkOf } from './access.ts';
import { windowSegments } from './clip-playlist.ts';
import type { ApiContext } from './context.ts';
import { parseSegmentName } from '../storage/recording-playlist.ts';
import { notYet } from './problem.ts';
import { sendObject } from './send-object.ts';

/** A player asks again after this; a segment is due every 1.6 s. */
const RETRY_AFTER_S = 2;
/** Caches in between hold a growing playlist for half a target duration, so that many viewers are one request; players always ask. */
const GROWING_MAX_AGE = 'max-age=0, s-maxage=1';
/** What has ended stays as it is; media that comes late may still change the final playlist. */
const ENDED_MAX_AGE = 'max-age=300';

/** A recording's playlists and segments: the whole as it grows, a window of its newest part, and the final one. */
export function mediaRoutes(context: ApiContext): Router {
  const router = Router();
  const mayPlayIt = allowed('recording');
  router.get('/recordings/:id/index.m3u8', mayPlayIt, sendServedPlaylist(context, 'whole'));
  router.get('/recordings/:id/live.m3u8', mayPlayIt, sendServedPlaylist(context, 'window'));
  router.get('/recordings/:id/final.m3u8', mayPlayIt, sendFinalPlaylist(context));
  router.get('/recordings/:id/segments/:name', mayReadSegment(context), sendSegment(context));
  return router;
}

/** Sends a playlist; `revision` changes whenever its text does. `write` is told whether gzip is taken. */
export function sendPlaylist(
  request: Request,
  response: Response,
  options: {
    readonly revision: string;
    readonly ended: boolean;
    readonly write: (gzip: boolean) => PlaylistBytes;
  },
): void {
  const maxAge = options.ended ? ENDED_MAX_AGE : GROWING_MAX_AGE;
  response.set({
    'Cache-Control': accessOf(response).by === 'link' ? `public, ${maxAge}` : 'private, no-cache',
    'Content-Type': 'application/vnd.apple.mpegurl',
    // Weak: the same text may come in several encodings (RFC 9110 §8.8.1).
    ETag: `W/"${options.revision}"`,
  });
  response.vary('Accept-Encoding');
  if (request.fresh) {
    response.status(304).end();
    return;
  }
  const { pieces, isGzip } = options.write(request.acceptsEncodings('gzip') === 'gzip');
  if (isGzip) response.set('Content-Encoding', 'gzip');
  response.set('Content-Length', String(pieces.reduce((sum, piece) => sum + piece.length, 0)));
  for (const piece of pieces) response.write(piece);
  response.end();
}

function sendServedPlaylist(context: ApiContext, extent: PlaylistForm['extent']): RequestHandler {
  return async (request, response) => {
    // The record first: if it is final, the entries read afterwards are all there will ever be.
    const recording = await context.recordings.get(idOf(request));
    const playlist = await context.playlists.findServed(recording);
    if (playlist === undefined) throw nothingYet(recording);
    const ended = isFinal(recording.state);
    const skip = request.query._HLS_skip;
    const isDelta = skip === 'YES' || skip === 'v2';
    const forms = `${extent}${isDelta ? '-delta' : ''}${ended ? '-ended' : ''}`;
    sendPlaylist(request, response, {
      revision: `${recording.id}-${playlist.entries}-${forms}`,
      ended,
      write: (gzip) => playlist.write({ extent, isDelta, ended }, { gzip }),
    });
  };
}

function sendFinalPlaylist(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const recording = await context.recordings.get(idOf(request));
    if (!isFinal(recording.state)) {
      const message = `Recording ${recording.id} is ${recording.state}: it has no final playlist yet`;
      throw new ChalkreelError('recording-not-final', message, { fault: 'input' });
    }
    const playlist = await context.playlists.findFinal(recording);
    if (playlist === undefined) throw nothingYet(recording);
    sendPlaylist(request, response, {
      revision: `${recording.id}-${playlist.entries}-final`,
      ended: true,
      write: (gzip) => playlist.write({ extent: 'whole', isDelta: false, ended: true }, { gzip }),
    });
  };
}

function nothingYet(recording: {
  readonly id: string;
  readonly state: Parameters<typeof isFinal>[0];
}): ChalkreelError {
  if (isFinal(recording.state)) {
    return new ChalkreelError('nothing-recorded', `Recording ${recording.id} has no picture`, {
      fault: 'input',
    });
  }
  return notYet(
    'not-started',
    `Recording ${recording.id} is ${recording.state}: its first segment is not there yet`,
    RETRY_AFTER_S,
  );
}

/** A clip's link opens just the segments that the clip is made of. */
function mayReadSegment(context: ApiContext): RequestHandler {
  return async (request, response, next) => {
    const link = linkOf(response);
    if (link !== undefined) {
      if (!(await isForSegment(context, link, request))) throw foreign();
      expectRight(link, 'play');
    }
    next();
  };
}

async function isForSegment(context: ApiContext, link: Link, request: Request): Promise<boolean> {
  if (link.kind === 'recording') return link.id === idOf(request);
  return isOfHighlight(context, link.id, request);
}

async function isOfHighlight(
  context: ApiContext,
  highlightId: string,
  request: Request,
): Promise<boolean> {
  const name = parseSegmentName(String(request.params.name));
  const known = context.clips.findOver(highlightId);
  if (known?.recordingId === idOf(request)) {
    return known.plan.entries.some(({ n }) => n === name?.n);
  }
  const highlight = await context.highlights.find(highlightId);
  if (name === undefined || highlight?.recordingId !== idOf(request)) return false;
  const recording = await context.recordings.find(highlight.recordingId);
  if (recording === undefined || recording.originMs === null) return false;
  const { first, last } = windowSegments(highlight.window, recording.originMs);
  return name.n >= first && name.n <= last;
}

/** Whoever watches a clip has had its playlist, so where its segments are is known. */
function findInClip(
  { clips }: ApiContext,
  link: Link | undefined,
  n: number,
): SegmentEntry | undefined {
  if (link?.kind !== 'highlight') return undefined;
  return clips.findOver(link.id)?.plan.entries.find((entry) => entry.n === n);
}

function sendSegment(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const id = idOf(request);
    const name = parseSegmentName(String(request.params.name));
    const entry =
      name === undefined
        ? undefined
        : (findInClip(context, linkOf(response), name.n) ??
          (await context.entries.find(id, name.n)));
    if (entry === undefined || entry.lane !== name?.lane || entry.epoch !== name.epoch) {
      throw new ChalkreelError(
        'segment-not-found',
        `Recording ${id} has no segment ${String(request.params.name)}`,
        { fault: 'input', details: { field: 'name' } },
      );
    }
    const { store } = context;
    await sendObject(request, response, { store, place: entry.place, contentType: 'video/mp2t' });
  };
}
