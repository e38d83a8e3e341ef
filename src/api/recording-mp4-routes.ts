import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Router, type Request, type RequestHandler, type Response } from 'express';
import { ChalkreelError } from '../errors.ts';
import { isFinal, type Recording } from '../model/recording.ts';
import type { RecordingMp4 } from '../storage/recording-mp4.ts';
import { accessOf, allowed, expectRight, idOf, linkOf } from './access.ts';
import { clipFileName } from './clip-file-name.ts';
import type { ApiContext } from './context.ts';
import { RecordingMp4Cache } from './recording-mp4-cache.ts';
import { isClientGone, planRange } from './send-object.ts';
import { recordingTitle } from './views.ts';

/** Media that comes late may still change it: asked again after this, and then mostly not sent again. */
const MAX_AGE_S = 300;
/** Blocks of 1.6 s that wait for the client. */
const WAITING_BLOCKS = 1;

/**
 * A recording that is over, as one MP4: made from its segments while it is sent, whole or any range of it. `?download=1` gives it a file
 * name, for who has the right.
 */
export function recordingMp4Routes(context: ApiContext): Router {
  const router = Router();
  const cache = new RecordingMp4Cache(context);
  router.get('/recordings/:id/recording.mp4', allowed('recording'), sendMp4(context, cache));
  return router;
}

function sendMp4(context: ApiContext, cache: RecordingMp4Cache): RequestHandler {
  return async (request, response) => {
    const recording = await context.recordings.get(idOf(request));
    if (request.query.download === '1') {
      const link = linkOf(response);
      if (link !== undefined) expectRight(link, 'download');
      response.attachment(fileNameOf(recording));
    }
    if (!isFinal(recording.state)) {
      const message = `Recording ${recording.id} is ${recording.state}: it is one file when it is over`;
      throw new ChalkreelError('recording-not-final', message, { fault: 'input' });
    }
    const mp4 = await cache.find(recording);
    if (mp4 === undefined) {
      const message = `Recording ${recording.id} has no picture`;
      throw new ChalkreelError('nothing-recorded', message, { fault: 'input' });
    }
    await send(request, response, mp4);
  };
}

async function send(request: Request, response: Response, mp4: RecordingMp4): Promise<void> {
  const scope = accessOf(response).by === 'link' ? 'public' : 'private';
  const etag = `"${mp4.hash}"`;
  response.set({
    'Accept-Ranges': 'bytes',
    'Cache-Control': `${scope}, max-age=${MAX_AGE_S}`,
    'Chalkreel-Missing-Ms': String(mp4.missingMs),
    'Content-Type': 'video/mp4',
    ETag: etag,
  });
  if (request.fresh) {
    response.status(304).end();
    return;
  }
  // A range of a file that has changed since is no use (RFC 9110 §13.1.5).
  const isSame = [undefined, etag].includes(request.get('If-Range'));
  const range = isSame ? planRange(request, mp4.length) : undefined;
  if (range === 'unsatisfiable') {
    response.removeHeader('Cache-Control');
    response.status(416).set('Content-Range', `bytes */${mp4.length}`).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: mp4.length };
  if (range !== undefined) {
    response.status(206).set('Content-Range', `bytes ${start}-${end - 1}/${mp4.length}`);
  }
  response.set('Content-Length', String(end - start));
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const bytes = Readable.from(mp4.read(start, end), { highWaterMark: WAITING_BLOCKS });
  await pipeline(bytes, response).catch((error: unknown) => {
    if (!isClientGone(error)) throw error;
  });
}

function fileNameOf(recording: Recording): string {
  const { originMs, createdAtMs } = recording;
  return clipFileName({ title: recordingTitle(recording), triggeredAtMs: originMs ?? createdAtMs });
}
