import { Router, type RequestHandler } from 'express';
import { ChalkreelError } from '../errors.ts';
import { delay } from '../lifecycle.ts';
import type { PlaylistBytes } from '../media/growing-playlist.ts';
import { writeMediaPlaylist } from '../media/playlist.ts';
import type { ClipMedia, Highlight } from '../model/highlight.ts';
import { highlightTriggerSchema } from '../protocol/highlight-trigger.ts';
import { allowed, idOf, keyOnly } from './access.ts';
import { planClipPlaylist } from './clip-playlist.ts';
import type { ApiContext } from './context.ts';
import { jsonBody } from './json-body.ts';
import { sendPlaylist } from './media-routes.ts';
import { notYet } from './problem.ts';
import { sendObject } from './send-object.ts';
import { highlightView } from './views.ts';

/** A trigger often comes before the first segment of its window is closed: a segment lasts 1.6 s. */
const FIRST_SEGMENT_WAIT_MS = 2000;
const FIRST_SEGMENT_POLL_MS = 100;
const RETRY_AFTER_S = 2;

/** Highlights: trigger, list, look at; their clips as playlist, MP4 and poster. */
export function highlightRoutes(context: ApiContext): Router {
  const router = Router();
  const ofRecording = '/recordings/:id/highlights';
  router.post(ofRecording, keyOnly, ...jsonBody, triggerHighlight(context));
  router.get(ofRecording, allowed('recording'), listHighlights(context));
  const one = allowed('highlight');
  router.get('/highlights/:id', one, getHighlight(context));
  router.get('/highlights/:id/clip.m3u8', one, sendClipPlaylist(context));
  router.get('/highlights/:id/clip.mp4', one, sendClipMp4(context));
  router.get('/highlights/:id/poster.jpg', one, sendPoster(context));
  return router;
}

/** The same trigger again answers 200 with the highlight made before. */
function triggerHighlight(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const trigger = highlightTriggerSchema.parse(request.body ?? {});
    const { highlight, created } = await context.requestHighlight(idOf(request), trigger, 'api');
    response.status(created ? 201 : 200).location(`/v1/highlights/${highlight.id}`);
    response.json(highlightView(highlight, context.links(request)));
  };
}

function listHighlights(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const { id } = await context.recordings.get(idOf(request));
    const highlights = await context.highlights.listByRecording(id);
    const links = context.links(request);
    response.set('Cache-Control', 'no-store');
    response.json({ highlights: highlights.map((highlight) => highlightView(highlight, links)) });
  };
}

function getHighlight(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const highlight = await context.highlights.get(idOf(request));
    response.set('Cache-Control', 'no-store');
    response.json(highlightView(highlight, context.links(request)));
  };
}

function sendClipPlaylist(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const highlight = await context.highlights.get(idOf(request));
    const deadline = context.clock.monotonicMs() + FIRST_SEGMENT_WAIT_MS;
    for (;;) {
      const recording = await context.recordings.get(highlight.recordingId);
      const settled = await context.playlists.settle(recording);
      const entries = await context.entries.read(recording.id, settled?.count);
      const plan = planClipPlaylist(entries, recording, highlight.window, settled?.last);
      const { playlist, isOver } = plan;
      if (playlist !== undefined) {
        const { segments, ended } = playlist;
        const revision = `${highlight.id}-${segments.length}-${ended ? 'ended' : 'open'}`;
        const pieces = [Buffer.from(writeMediaPlaylist(playlist))];
        const write = (): PlaylistBytes => ({ pieces, isGzip: false });
        sendPlaylist(request, response, { revision, ended, write });
        return;
      }
      if (isOver)
        throw failed('nothing-recorded', `Nothing was recorded of highlight ${highlight.id}`);
      if (context.clock.monotonicMs() >= deadline) break;
      await delay(FIRST_SEGMENT_POLL_MS);
    }
    const message = `The first segment of highlight ${highlight.id} is not there yet`;
    throw notYet('not-started', message, RETRY_AFTER_S);
  };
}

function sendClipMp4(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const highlight = await context.highlights.get(idOf(request));
    const { mp4 } = clipOf(highlight);
    response.attachment(`${fileName(highlight)}.mp4`);
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

function fileName(highlight: Highlight): string {
  const title = (highlight.title ?? '').replace(/[^\p{L}\p{N} ._-]+/gu, '').trim();
  return title === '' ? `highlight-${highlight.id}` : title;
}

function failed(code: string, message: string): ChalkreelError {
  return new ChalkreelError(code, message, { fault: 'input' });
}
