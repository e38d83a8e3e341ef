import { Router, type Request, type RequestHandler } from 'express';
import { z } from 'zod';
import { isFinal, type Recording } from '../model/recording.ts';
import { createRecordingSchema, type CreateRecording } from '../protocol/recording-request.ts';
import { allowed, idOf, keyOnly, linkOf } from './access.ts';
import { jsonBody } from './json-body.ts';
import type { ApiContext } from './context.ts';
import { recordingView, recordingViewerView } from './views.ts';

const DAY_S = 86_400;

const listSchema = z.strictObject({
  state: z.enum(['queued', 'starting', 'recording', 'stopping', 'completed', 'failed']).optional(),
  externalId: z.string().min(1).max(200).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(200).optional(),
});

/** Recordings: create, list, look at, stop. */
export function recordingRoutes(context: ApiContext): Router {
  const router = Router();
  router.post('/recordings', keyOnly, ...jsonBody, createRecording(context));
  router.get('/recordings', keyOnly, listRecordings(context));
  router.get('/recordings/:id', allowed('recording'), getRecording(context));
  router.post('/recordings/:id/stop', keyOnly, stopRecording(context));
  return router;
}

function createRecording(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const body = createRecordingSchema.parse(request.body ?? {});
    const recording = describeRecording(body, context);
    await context.recordings.create(recording);
    await context.queue.enqueueRecording(recording.id);
    const { id: recordingId, traceId } = recording;
    context.log.info({ event: 'recording-requested', recordingId, traceId });
    response.status(201).location(`/v1/recordings/${recording.id}`);
    response.json(recordingView(recording, undefined, context.links(request)));
  };
}

function describeRecording(
  body: CreateRecording,
  { newId, clock, retentionS }: Pick<ApiContext, 'newId' | 'clock' | 'retentionS'>,
): Recording {
  const nowMs = Math.round(clock.nowMs());
  const own = retentionOf(body);
  return {
    id: newId(),
    externalId: body.externalId ?? null,
    metadata: body.metadata,
    source:
      body.classroom === undefined
        ? { kind: 'page', url: String(body.url) }
        : { kind: 'classroom', classroom: body.classroom },
    settings: body.settings,
    state: 'queued',
    history: [{ state: 'queued', atMs: nowMs }],
    createdAtMs: nowMs,
    originMs: null,
    stopRequestedAtMs: null,
    leadInMs: null,
    tailPaddingMs: null,
    warnings: [],
    traceId: newId(),
    retentionS: own === undefined ? (retentionS ?? null) : own,
  };
}

/** Seconds; null: for ever; undefined: not said. */
function retentionOf({ retentionS, retentionDays }: CreateRecording): number | null | undefined {
  if (typeof retentionDays === 'number') return Math.max(1, Math.round(retentionDays * DAY_S));
  return retentionDays === null ? null : retentionS;
}

function listRecordings(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const filter = listSchema.parse(request.query);
    const { recordings, nextCursor } = await context.recordings.list(filter);
    const items = recordings.map((recording) => view(context, request, recording));
    response.json({ recordings: await Promise.all(items), nextCursor });
  };
}

function getRecording(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const recording = await context.recordings.get(idOf(request));
    response.set('Cache-Control', 'no-store');
    const link = linkOf(response);
    if (link !== undefined) {
      const progress = await context.recordings.findProgress(recording.id);
      const nowMs = Math.round(context.clock.nowMs());
      response.json(recordingViewerView(recording, progress, { link, nowMs }));
    } else {
      response.json(await view(context, request, recording));
    }
  };
}

/** Answered at once: the worker hears it, records to the next boundary and finishes. */
function stopRecording(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const nowMs = Math.round(context.clock.nowMs());
    const recording = await context.recordings.update(idOf(request), (present) =>
      isFinal(present.state) || present.stopRequestedAtMs !== null
        ? present
        : { ...present, stopRequestedAtMs: nowMs },
    );
    response.status(isFinal(recording.state) ? 200 : 202);
    response.json(await view(context, request, recording));
  };
}

async function view(context: ApiContext, request: Request, recording: Recording): Promise<object> {
  const progress = await context.recordings.findProgress(recording.id);
  return recordingView(recording, progress, context.links(request));
}
