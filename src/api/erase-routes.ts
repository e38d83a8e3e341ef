import { Router, type RequestHandler } from 'express';
import { z } from 'zod';
import { eraseRecording, type ErasedRecording } from '../storage/removal/erase-recording.ts';
import { idOf, keyOnly } from './access.ts';
import type { ApiContext } from './context.ts';
import { jsonBody } from './json-body.ts';

const eraseSchema = z.strictObject({
  /** Its highlights too. Without them, clips that are still being made keep the segments they need until they are there. */
  clips: z.boolean().default(false),
});

/** Removing a recording: DELETE for the recording, `erase` for all that came from it, with an account of it. */
export function eraseRoutes(context: ApiContext): Router {
  const router = Router();
  router.delete('/recordings/:id', keyOnly, deleteRecording(context));
  router.post('/recordings/:id/erase', keyOnly, ...jsonBody, eraseOne(context));
  return router;
}

function deleteRecording(context: ApiContext): RequestHandler {
  return async (request, response) => {
    await context.recordings.get(idOf(request));
    await erase(context, idOf(request), false);
    response.status(204).end();
  };
}

/** Idempotent: a recording that is not there (any more) has nothing to remove. */
function eraseOne(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const { clips } = eraseSchema.parse(request.body ?? {});
    response.json({ id: idOf(request), ...(await erase(context, idOf(request), clips)) });
  };
}

async function erase(context: ApiContext, id: string, clips: boolean): Promise<ErasedRecording> {
  const { workFolder, clock } = context;
  const erased = await eraseRecording(id, context, { clips, nowMs: clock.nowMs(), workFolder });
  context.deleted.forget(id);
  context.entries.forget(id);
  context.playlists.forget(id);
  return erased;
}
