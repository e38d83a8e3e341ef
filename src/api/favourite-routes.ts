import { Router, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import { ChalkreelError } from '../errors.ts';
import { viewerIdSchema } from '../protocol/share-request.ts';
import { allowedHighlight, idOf, keyOnly, linkOf } from './access.ts';
import type { ApiContext } from './context.ts';

/** Which clips a viewer likes: told by the platform for anybody, by the holder of a link for the viewer it was made for. */
export function favouriteRoutes(context: ApiContext): Router {
  const router = Router();
  const byViewer = '/highlights/:id/favourites/:viewer';
  router.put(byViewer, keyOnly, setFavourite(context, viewerInPath));
  router.delete(byViewer, keyOnly, clearFavourite(context, viewerInPath));
  const mayLike = allowedHighlight(context.highlights, 'favourite');
  router.put('/highlights/:id/favourite', mayLike, setFavourite(context, viewerOfLink));
  router.delete('/highlights/:id/favourite', mayLike, clearFavourite(context, viewerOfLink));
  return router;
}

type FindViewer = (viewer: unknown, response: Response) => string;

const viewerInPath: FindViewer = (viewer) =>
  z.object({ viewer: viewerIdSchema }).parse({ viewer }).viewer;

/** Throws `viewer-missing` for a link that is for anybody, and for the platform, which names the viewer in the path. */
const viewerOfLink: FindViewer = (_viewer, response) => {
  const viewerId = linkOf(response)?.viewerId ?? null;
  if (viewerId !== null) return viewerId;
  const message = 'This link was made for no viewer, whose favourites could be kept';
  throw new ChalkreelError('viewer-missing', message, { fault: 'input' });
};

function setFavourite(context: ApiContext, findViewer: FindViewer): RequestHandler {
  return async (request, response) => {
    const viewerId = findViewer(request.params.viewer, response);
    const createdAtMs = Math.round(context.clock.nowMs());
    await context.favourites.add({ highlightId: idOf(request), viewerId, createdAtMs });
    response.status(204).end();
  };
}

function clearFavourite(context: ApiContext, findViewer: FindViewer): RequestHandler {
  return async (request, response) => {
    const viewerId = findViewer(request.params.viewer, response);
    await context.favourites.remove(idOf(request), viewerId);
    response.status(204).end();
  };
}
