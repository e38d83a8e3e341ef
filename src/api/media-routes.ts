import { Router, type Request, type RequestHandler, type Response } from 'express';
import { ChalkreelError } from '../errors.ts';
import { writeMediaPlaylist } from '../media/playlist.ts';
import { isFinal } from '../model/recording.ts';
import { accessOf, allowed, forbidden, idOf, mayPlay } from './access.ts';
import { windowSegments } from './clip-playlist.ts';
import type { ApiContext } from './context.ts';
import { parseSegmentName, planEventPlaylist } from '../storage/recording-playlist.ts';
import { notYet } from './problem.ts';
import { sendObject } from './send-object.ts';

/** A player asks again after this; a segment is due every 1.6 s. */
const RETRY_AFTER_S = 2;
/** Whole playlists kept as text, so that many viewers of one class share the work. */
const MAX_CACHED_PLAYLISTS = 100;

/** A recording's playlist and segments. */
export function mediaRoutes(context: ApiContext): Router {
  const router = Router();
  router.get('/recordings/:id/index.m3u8', allowed('recording'), sendRecordingPlaylist(context));
  router.get('/recordings/:id/segments/:name', mayReadSegment(context), sendSegment(context));
  return router;
}

/** Sends a playlist; `revision` changes whenever the text does. */
export function sendPlaylist(
  request: Request,
  response: Response,
  options: { readonly revision: string; readonly text: () => string },
): void {
  response.set({
    'Cache-Control': 'no-cache',
    'Content-Type': 'application/vnd.apple.mpegurl',
    ETag: `"${options.revision}"`,
  });
  if (request.fresh) response.status(304).end();
  else response.send(options.text());
}

function sendRecordingPlaylist(context: ApiContext): RequestHandler {
  const texts = new Map<string, { readonly revision: string; readonly text: string }>();
  const render = (id: string, revision: string, text: () => string): string => {
    const cached = texts.get(id);
    if (cached?.revision === revision) return cached.text;
    const fresh = { revision, text: text() };
    texts.delete(id);
    texts.set(id, fresh);
    for (const oldest of texts.keys()) {
      if (texts.size <= MAX_CACHED_PLAYLISTS) break;
      texts.delete(oldest);
    }
    return fresh.text;
  };
  return async (request, response) => {
    // The record first: if it is final, the entries read afterwards are all there will ever be.
    const recording = await context.recordings.get(idOf(request));
    const entries = await context.entries.read(recording.id);
    const [first] = entries;
    if (first === undefined || recording.originMs === null) throw nothingYet(recording);
    const isEnded = isFinal(recording.state);
    const revision = `${recording.id}-${entries.length}-${isEnded ? 'ended' : 'live'}`;
    const text = (): string => {
      const plan = planEventPlaylist(entries, recording);
      if (plan === undefined) throw nothingYet(recording);
      return writeMediaPlaylist(plan);
    };
    sendPlaylist(request, response, {
      revision,
      text: () => render(recording.id, revision, text),
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
    const access = accessOf(response);
    const isAllowed =
      mayPlay(access, 'recording', idOf(request)) ||
      (access.by === 'link' &&
        access.link.kind === 'highlight' &&
        access.link.rights.includes('play') &&
        (await isOfHighlight(context, access.link.id, request)));
    if (!isAllowed) throw forbidden('This link is not for this segment');
    next();
  };
}

async function isOfHighlight(
  context: ApiContext,
  highlightId: string,
  request: Request,
): Promise<boolean> {
  const highlight = await context.highlights.find(highlightId);
  const name = parseSegmentName(String(request.params.name));
  if (name === undefined || highlight?.recordingId !== idOf(request)) return false;
  const recording = await context.recordings.find(highlight.recordingId);
  if (recording === undefined || recording.originMs === null) return false;
  const { first, last } = windowSegments(highlight.window, recording.originMs);
  return name.n >= first && name.n <= last;
}

function sendSegment(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const id = idOf(request);
    const name = parseSegmentName(String(request.params.name));
    const entry = name === undefined ? undefined : await context.entries.find(id, name.n);
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
