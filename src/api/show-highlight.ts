import type { Request, Response } from 'express';
import type { Highlight } from '../model/highlight.ts';
import { linkOf } from './access.ts';
import { readExtent } from './clip-extent.ts';
import type { ApiContext } from './context.ts';
import { highlightView, highlightViewerView } from './views.ts';

/** Highlights as the asker may see them: all of it for the platform, the viewer's form for holders of a link. */
export async function showHighlights(
  { context, request, response }: { context: ApiContext; request: Request; response: Response },
  highlights: readonly Highlight[],
): Promise<object[]> {
  const links = context.links(request);
  const link = linkOf(response);
  const extents = await Promise.all(highlights.map((highlight) => readExtent(context, highlight)));
  if (link === undefined) {
    return highlights.map((highlight, i) => ({
      ...highlightView(highlight, links),
      ...extents[i],
    }));
  }
  const ids = highlights.map(({ id }) => id);
  const { viewerId } = link;
  const liked = viewerId === null ? new Set() : await context.favourites.findOf(viewerId, ids);
  return highlights.map((highlight, i) => {
    const viewer = { link, isFavourite: liked.has(highlight.id) };
    return { ...highlightViewerView(highlight, viewer, links), ...extents[i] };
  });
}
