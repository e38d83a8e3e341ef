import { Router, type RequestHandler } from 'express';
import { inputError } from '../errors.ts';
import type { Highlight } from '../model/highlight.ts';
import { highlightChangeSchema, highlightQuerySchema } from '../protocol/highlight-query.ts';
import { removeHighlight } from '../storage/removal/remove-highlight.ts';
import { removeWhatIsFree } from '../storage/removal/remove-recording.ts';
import { allowed, allowedHighlight, idOf, keyOnly } from './access.ts';
import type { ApiContext } from './context.ts';
import { jsonBody } from './json-body.ts';
import { showHighlights } from './show-highlight.ts';

/** Highlights that are there: found, looked at, changed, deleted. */
export function highlightListRoutes(context: ApiContext): Router {
  const router = Router();
  router.get('/highlights', keyOnly, findHighlights(context));
  router.get('/recordings/:id/highlights', allowed('recording'), listOfRecording(context));
  router.get('/highlights/:id', allowedHighlight(context.highlights), getHighlight(context));
  const mayName = allowedHighlight(context.highlights, 'trigger');
  router.patch('/highlights/:id', mayName, ...jsonBody, changeHighlight(context));
  router.delete('/highlights/:id', keyOnly, deleteHighlight(context));
  return router;
}

function findHighlights(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const filter = highlightQuerySchema.parse(request.query);
    const { highlights: found, nextCursor } = await context.highlights.list(filter);
    const highlights = await showHighlights({ context, request, response }, found);
    response.set('Cache-Control', 'no-store').json({ highlights, nextCursor });
  };
}

/** All of them, oldest moment first. */
function listOfRecording(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const { id } = await context.recordings.get(idOf(request));
    const found = await context.highlights.listByRecording(id);
    const highlights = await showHighlights({ context, request, response }, found);
    response.set('Cache-Control', 'no-store').json({ highlights });
  };
}

function getHighlight(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const found = await context.highlights.get(idOf(request));
    const [highlight] = await showHighlights({ context, request, response }, [found]);
    response.set('Cache-Control', 'no-store').json(highlight);
  };
}

function changeHighlight(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const change = highlightChangeSchema.parse(request.body ?? {});
    const changed = await context.highlights.update(idOf(request), (present) => ({
      ...present,
      title: change.title === undefined ? present.title : change.title,
      tags: [...new Set(change.tags ?? present.tags)],
      participants: [...new Set(change.participants ?? present.participants)],
    }));
    const [highlight] = await showHighlights({ context, request, response }, [changed]);
    response.set('Cache-Control', 'no-store').json(highlight);
  };
}

function deleteHighlight(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const id = idOf(request);
    const highlight = await context.highlights.find(id);
    const { existed, objects } = await removeHighlight(id, context);
    // What a deletion left that was cut short, is deleted as well as a whole highlight.
    if (!existed && objects === 0) {
      throw inputError('id', `There is no highlight ${id}`, 'highlight-not-found');
    }
    if (highlight !== undefined) await freeSegments(context, highlight);
    response.status(204).end();
  };
}

/** Of a recording that is being deleted, segments may have been kept for this highlight alone. */
async function freeSegments(context: ApiContext, { recordingId }: Highlight): Promise<void> {
  const recording = await context.recordings.find(recordingId);
  if (recording?.deletedAtMs === undefined) return;
  await removeWhatIsFree(recordingId, context, { nowMs: context.clock.nowMs() });
}
