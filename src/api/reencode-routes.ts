import { Router, type RequestHandler } from 'express';
import { inputError } from '../errors.ts';
import type { Recording } from '../model/recording.ts';
import type { ReencodeProfile } from '../model/reencode.ts';
import { reencodeRequestSchema, type ReencodeRequest } from '../protocol/reencode.ts';
import { cancelNight, startNightNow } from '../queue/batch-control.ts';
import { readBatch, readReencode } from '../queue/batch-status.ts';
import { profilesFor } from '../queue/reencode-profiles.ts';
import { cancelReencode, requestReencode } from '../queue/request-reencode.ts';
import { idOf, keyOnly } from './access.ts';
import type { ApiContext } from './context.ts';
import { jsonBody } from './json-body.ts';

/** Why a re-encode was cancelled: somebody said so. */
const CANCELLED_BY_CALL = 'cancel-requested';

/** Re-encoding a recording into the formats that are kept, and the night that does it for all. */
export function reencodeRoutes(context: ApiContext): Router {
  const router = Router();
  router.post('/recordings/:id/reencode', keyOnly, ...jsonBody, request(context));
  router.get('/recordings/:id/reencode', keyOnly, show(context));
  router.delete('/recordings/:id/reencode', keyOnly, cancel(context));
  router.get('/batch', keyOnly, showNight(context));
  router.post('/batch', keyOnly, startNight(context));
  router.delete('/batch', keyOnly, stopNight(context));
  return router;
}

/** 202 when anything was begun by it, 200 when all of it is under way or done. */
function request(context: ApiContext): RequestHandler {
  return async (request_, response) => {
    const body = reencodeRequestSchema.parse(request_.body ?? {});
    const recording = await context.recordings.get(idOf(request_));
    const profiles = chooseProfiles(recording, body, context);
    const nowMs = Math.round(context.clock.nowMs());
    const wish = { profiles, origin: 'api', night: null, force: body.force, nowMs } as const;
    const asked = await requestReencode(recording.id, wish, context);
    response.status(asked.isNew ? 202 : 200).location(`/v1/recordings/${recording.id}/reencode`);
    response.json(await readReencode(asked.recording, context, context.clock.nowMs()));
  };
}

function show(context: ApiContext): RequestHandler {
  return async (request_, response) => {
    const recording = await context.recordings.get(idOf(request_));
    response.set('Cache-Control', 'no-store');
    response.json(await readReencode(recording, context, context.clock.nowMs()));
  };
}

/** Idempotent: what is over stays as it is. */
function cancel(context: ApiContext): RequestHandler {
  return async (request_, response) => {
    const nowMs = Math.round(context.clock.nowMs());
    const options = { reason: CANCELLED_BY_CALL, nowMs };
    const { recording } = await cancelReencode(idOf(request_), options, context);
    response.json(await readReencode(recording, context, nowMs));
  };
}

function showNight(context: ApiContext): RequestHandler {
  return async (_request, response) => {
    response.set('Cache-Control', 'no-store');
    response.json(await readBatch(context, context.nights.times, context.clock.nowMs()));
  };
}

/** 202 when a night was begun by it, 200 when one goes on. */
function startNight(context: ApiContext): RequestHandler {
  return async (_request, response) => {
    const nowMs = Math.round(context.clock.nowMs());
    const { night, isNew } = await startNightNow(context, context.nights.settings, nowMs);
    response.status(isNew ? 202 : 200).json({ night });
  };
}

function stopNight(context: ApiContext): RequestHandler {
  return async (_request, response) => {
    const stopped = await cancelNight(context, Math.round(context.clock.nowMs()));
    response.json(stopped ?? { night: null, cancelled: 0 });
  };
}

/** The profiles asked for, by name or whole; those of the night when none is named. */
function chooseProfiles(
  recording: Recording,
  { profiles: wanted }: ReencodeRequest,
  { profiles }: ApiContext,
): readonly ReencodeProfile[] {
  if (wanted === undefined) return profilesFor(recording, profiles);
  const chosen = wanted.map((one, i) => {
    if (typeof one !== 'string') return one;
    const known = profiles.byName.get(one);
    if (known !== undefined) return known;
    throw inputError(
      `profiles.${i}`,
      `profiles.${i}: there is no profile ${one}; expected one of ${[...profiles.byName.keys()].join(', ')}, or a profile`,
    );
  });
  for (const [i, { name, video }] of chosen.entries()) {
    const field = `profiles.${i}`;
    if (chosen.findIndex((other) => other.name === name) !== i) {
      throw inputError(field, `${field}: expected each profile once, got ${name} twice`);
    }
    if (video !== null && recording.settings.media === 'audio') {
      throw inputError(
        field,
        `${field}: ${recording.id} is sound alone, expected a profile without video`,
      );
    }
  }
  return chosen;
}
