import { Router, type RequestHandler } from 'express';
import { BriefMemory } from '../brief-memory.ts';
import { readEventLog } from '../storage/events/event-log.ts';
import { allowed, idOf } from './access.ts';
import type { ApiContext } from './context.ts';

/** Many who ask for a log at once are one reading of the store; workers write once a second. */
const REMEMBERED_MS = 500;

/** What happened in a recorded class, a JSON object a line: as far as it is known while it runs, all of it afterwards. */
export function eventRoutes(context: ApiContext): Router {
  const router = Router();
  router.get('/recordings/:id/events.jsonl', allowed('recording'), sendEvents(context));
  return router;
}

function sendEvents({ recordings, store, clock }: ApiContext): RequestHandler {
  const logs = new BriefMemory({
    ask: async (id) => readEventLog(store, await recordings.get(id)),
    ttlMs: REMEMBERED_MS,
    monotonicMs: () => clock.monotonicMs(),
  });
  return async (request, response) => {
    const id = idOf(request);
    const log = await logs.get(id);
    // A log may be large, and is seldom asked for again.
    logs.forget(id);
    response.set({ 'Cache-Control': 'private, no-cache', 'Content-Type': 'application/jsonl' });
    response.send(log);
  };
}
