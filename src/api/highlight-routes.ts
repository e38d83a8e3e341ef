import { Router, type RequestHandler, type Response } from 'express';
import { ChalkreelError } from '../errors.ts';
import type { PlaylistBytes } from '../media/growing-playlist.ts';
import type { ClipMedia, Highlight } from '../model/highlight.ts';
import { highlightTriggerSchema } from '../protocol/highlight-trigger.ts';
import { allowed, allowedHighlight, expectRight, idOf, linkOf } from './access.ts';
import { clipFileName } from './clip-file-name.ts';
import { textOf } from './clip-plans.ts';
import type { ApiContext } from './context.ts';
import { jsonBody } from './json-body.ts';
import { sendPlaylist } from './media-routes.ts';
import { notYet } from './problem.ts';
import { sendObject } from './send-object.ts';
import { showHighlights } from './show-highlight.ts';

/** A trigger often comes before the first segment of its window is closed: a segment lasts 1.6 s. */
const FIRST_SEGMENT_WAIT_MS = 2000;
const RETRY_AFTER_S = 2;

/** Highlights: the trigger, and their clips as playlist, MP4 and poster. */
export function highlightRoutes(context: ApiContext): Router {
  const router = Router();
  const mayTrigger = allowed('recording', 'trigger');
  router.post('/recordings/:id/highlights', mayTrigger, ...jsonBody, triggerHighlight(context));
  const one = allowedHighlight(context.highlights);
  router.get('/highlights/:id/clip.m3u8', one, sendClipPlaylist(context));
  router.get('/highlights/:id/clip.mp4', one, sendClipMp4(context));
  router.get('/highlights/:id/poster.jpg', one, sendPoster(context));
  return router;
}

/** The same trigger again answers 200 with the highlight made before. */
function triggerHighlight(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const asked = highlightTriggerSchema.parse(request.body ?? {});
    const link = linkOf(response);
    const origin = link === undefined ? 'api' : 'panel';
    // Who presses, the link says.
    const trigger =
      link === undefined ? asked : { ...asked, requestedBy: link.viewerId ?? undefined };
    const { highlight, created } = await context.requestHighlight(idOf(request), trigger, origin, {
      onPlanned: (planned) => readAhead(context, planned),
    });
    const [shown] = await showHighlights({ context, request, response }, [highlight]);
    response
      .status(created ? 201 : 200)
      .location(`/v1/highlights/${highlight.id}`)
      .json(shown);
  };
}

/** How a clip whose window is over stands is read while it is stored: it stays so. */
function readAhead({ clips, clock }: ApiContext, planned: Highlight): void {
  if (planned.window.endMs < clock.nowMs()) clips.find(planned).catch(() => undefined);
}

function sendClipPlaylist(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const highlight = await context.highlights.get(idOf(request));
    if (highlight.playlistGoneAtMs !== undefined) {
      throw failed('playlist-gone', 'The recording was deleted: this clip is its MP4 alone');
    }
    const plan = await context.clips.waitForFirst(highlight, {
      waitMs: FIRST_SEGMENT_WAIT_MS,
      signal: () => whenGone(response),
    });
    const { playlist, isOver } = plan;
    if (playlist !== undefined) {
      const { segments, ended, mediaSequence, startOffsetMs } = playlist;
      const state = ended ? 'ended' : 'open';
      const revision = [highlight.id, mediaSequence, startOffsetMs, segments.length, state].join(
        '-',
      );
      const write = (): PlaylistBytes => ({ pieces: [textOf(plan, playlist)], isGzip: false });
      sendPlaylist(request, response, { revision, ended, write });
      return;
    }
    if (isOver) {
      throw failed('nothing-recorded', `Nothing was recorded of highlight ${highlight.id}`);
    }
    const message = `The first segment of highlight ${highlight.id} is not there yet`;
    throw notYet('not-started', message, RETRY_AFTER_S);
  };
}

/** Aborts when the client has gone away, and when it was answered. */
function whenGone(response: Response): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  else response.once('close', () => gone.abort());
  return gone.signal;
}

function sendClipMp4(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const highlight = await context.highlights.get(idOf(request));
    const { mp4 } = clipOf(highlight);
    if (request.query.download === '1') {
      const link = linkOf(response);
      if (link !== undefined) expectRight(link, 'download');
      response.attachment(clipFileName(highlight));
    }
    const place = { object: mp4.object, offset: 0, length: mp4.length };
    const { store } = context;
    await sendObject(request, response, { store, place, contentType: 'video/mp4' });
  };
}

function sendPoster(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const { poster } = clipOf(await context.highlights.get(idOf(request)));
    if (poster === null) throw failed('poster-missing', 'A clip of sound alone has no poster');
    const place = { object: poster.object, offset: 0, length: poster.length };
    const { store } = context;
    await sendObject(request, response, { store, place, contentType: 'image/jpeg' });
  };
}

function clipOf(highlight: Highlight): ClipMedia {
  if (highlight.clip !== null) return highlight.clip;
  if (highlight.state === 'failed') {
    throw failed(
      'clip-failed',
      `Highlight ${highlight.id} failed: ${highlight.reason ?? 'unknown'}`,
    );
  }
  const message = `The clip of highlight ${highlight.id} is ${highlight.state}: its media is not there yet`;
  throw notYet('clip-not-ready', message, RETRY_AFTER_S);
}

function failed(code: string, message: string): ChalkreelError {
  return new ChalkreelError(code, message, { fault: 'input' });
}
