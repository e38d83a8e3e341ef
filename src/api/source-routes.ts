import { Router, type RequestHandler } from 'express';
import type { Recording } from '../model/recording.ts';
import {
  applySourceChanges,
  changeSourcesSchema,
  type SourceChanges,
} from '../protocol/classroom.ts';
import { idOf, keyOnly } from './access.ts';
import type { ApiContext } from './context.ts';
import { jsonBody } from './json-body.ts';
import { recordedClassroom } from './recorded-classroom.ts';

/** The streams of a classroom being recorded: added, changed, taken away. The worker hears of it within a second. */
export function sourceRoutes(context: ApiContext): Router {
  const router = Router();
  router.patch('/recordings/:id/sources', keyOnly, ...jsonBody, changeSources(context));
  return router;
}

function changeSources(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const changes = changeSourcesSchema.parse(request.body ?? {});
    const { source } = await context.recordings.update(idOf(request), (present) =>
      withChanges(present, changes),
    );
    response.json({ sources: source.kind === 'classroom' ? source.classroom.sources : [] });
  };
}

function withChanges(recording: Recording, changes: SourceChanges): Recording {
  const source = recordedClassroom(recording, {
    aPage: 'shows its streams itself',
    changesNoMore: 'streams change no more',
  });
  const sources = applySourceChanges(source.classroom.sources, changes);
  return { ...recording, source: { ...source, classroom: { ...source.classroom, sources } } };
}
