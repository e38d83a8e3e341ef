import { Router, type RequestHandler } from 'express';
import { ChalkreelError } from '../errors.ts';
import { isFinal, type Recording } from '../model/recording.ts';
import {
  applySourceChanges,
  changeSourcesSchema,
  type SourceChanges,
} from '../protocol/classroom.ts';
import { idOf, keyOnly } from './access.ts';
import type { ApiContext } from './context.ts';
import { jsonBody } from './json-body.ts';

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
  const { id, state, source } = recording;
  if (source.kind !== 'classroom') {
    throw refusal('no-classroom', `Recording ${id} is of a page, which shows its streams itself`);
  }
  if (isFinal(state)) {
    throw refusal('recording-final', `Recording ${id} is ${state}: its streams change no more`);
  }
  const sources = applySourceChanges(source.classroom.sources, changes);
  return { ...recording, source: { ...source, classroom: { ...source.classroom, sources } } };
}

function refusal(code: string, message: string): ChalkreelError {
  return new ChalkreelError(code, message, { fault: 'input', details: { field: 'id' } });
}
