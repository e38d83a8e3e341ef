import { Router, type RequestHandler } from 'express';
import { allowed, allowedHighlight, idOf } from './access.ts';
import type { ApiContext } from './context.ts';
import { showHighlights } from './show-highlight.ts';

/** Highlights that are there: found, looked at, changed, deleted. */
export function highlightListRoutes(context: ApiContext): Router {
  const router = Router();
  router.get('/recordings/:id/highlights', allowed('recording'), listOfRecording(context));
  router.get('/highlights/:id', allowedHighlight(context.highlights), getHighlight(context));
  return router;
}

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
