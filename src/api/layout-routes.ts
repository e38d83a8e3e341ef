import { isDeepStrictEqual } from 'node:util';
import { Router, type RequestHandler } from 'express';
import { DEFAULT_VIEW, layoutChoiceOf, type LayoutChoice } from '../model/layout.ts';
import type { Recording } from '../model/recording.ts';
import { applyLayoutChange, changeLayoutSchema, type LayoutChange } from '../protocol/layout.ts';
import { idOf, keyOnly } from './access.ts';
import type { ApiContext } from './context.ts';
import { jsonBody } from './json-body.ts';
import { recordedClassroom } from './recorded-classroom.ts';

/** How a classroom being recorded is arranged: every worker that makes it is told at once. */
export function layoutRoutes(context: ApiContext): Router {
  const router = Router();
  router.patch('/recordings/:id/layout', keyOnly, ...jsonBody, changeLayout(context));
  return router;
}

function changeLayout(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const change = changeLayoutSchema.parse(request.body ?? {});
    const { source } = await context.recordings.update(idOf(request), (present) =>
      withLayout(present, change),
    );
    response.json(choiceView(source.kind === 'classroom' ? source.classroom : {}));
  };
}

/** Null: the class decides. */
function choiceView({ layout, focus, view, page }: LayoutChoice): object {
  return {
    layout: layout ?? null,
    focus: focus ?? null,
    view: view ?? DEFAULT_VIEW,
    page: page ?? 1,
  };
}

function withLayout(recording: Recording, change: LayoutChange): Recording {
  const source = recordedClassroom(recording, {
    aPage: 'arranges itself',
    changesNoMore: 'layout changes no more',
  });
  const before = layoutChoiceOf(source.classroom);
  const choice = applyLayoutChange(before, change);
  if (isDeepStrictEqual(choice, before)) return recording;
  return { ...recording, source: { ...source, classroom: { ...source.classroom, ...choice } } };
}
