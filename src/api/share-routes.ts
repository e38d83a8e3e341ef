import { Router, type Request, type RequestHandler } from 'express';
import { z } from 'zod';
import { inputError } from '../errors.ts';
import { createShareSchema, type CreateShare } from '../protocol/share-request.ts';
import type { Share, ShareTarget } from '../storage/records/share-repository.ts';
import { idOf, keyOnly } from './access.ts';
import type { ApiContext } from './context.ts';
import { jsonBody } from './json-body.ts';
import { shareView } from './views.ts';

const querySchema = z
  .strictObject({
    recording: z.string().min(1).max(64).optional(),
    highlight: z.string().min(1).max(64).optional(),
  })
  .refine(({ recording, highlight }) => (recording === undefined) !== (highlight === undefined), {
    path: ['recording'],
    error: 'expected exactly one of recording and highlight',
  });

/** Links that the platform gives out and can take back. */
export function shareRoutes(context: ApiContext): Router {
  const router = Router();
  router.post('/shares', keyOnly, ...jsonBody, createShare(context));
  router.get('/shares', keyOnly, listShares(context));
  router.delete('/shares/:id', keyOnly, revokeShare(context));
  return router;
}

function createShare(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const body = createShareSchema.parse(request.body ?? {});
    const share = describeShare(body, context.newId(), Math.round(context.clock.nowMs()));
    await context.shares.create(share);
    response
      .status(201)
      .location(`/v1/shares/${share.id}`)
      .json(view(context, request, share));
  };
}

function describeShare(body: CreateShare, id: string, nowMs: number): Share {
  return {
    id,
    ...targetOf(body.recordingId, body.highlightId),
    rights: [...new Set(body.rights)],
    viewerId: body.viewer ?? null,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + body.expiresInS * 1000,
  };
}

/** Exactly one of them is there: the schemas say so. */
function targetOf(recordingId: string | undefined, highlightId: string | undefined): ShareTarget {
  return recordingId === undefined
    ? { kind: 'highlight', targetId: String(highlightId) }
    : { kind: 'recording', targetId: recordingId };
}

function listShares(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const { recording, highlight } = querySchema.parse(request.query);
    const nowMs = context.clock.nowMs();
    const found = await context.shares.list(targetOf(recording, highlight));
    const shares = found.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
    response.set('Cache-Control', 'no-store');
    response.json({ shares: shares.map((share) => view(context, request, share)) });
  };
}

/** Counts in every process within the time that an answer about a record is believed: see `LinkGate`. */
function revokeShare(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const id = idOf(request);
    if (!(await context.shares.revoke(id))) {
      throw inputError('id', `There is no share ${id}`, 'share-not-found');
    }
    context.gate.forget(id);
    response.status(204).end();
  };
}

function view(context: ApiContext, request: Request, share: Share): object {
  return shareView(share, context.links(request));
}
