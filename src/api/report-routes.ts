import { Router, type RequestHandler } from 'express';
import { ChalkreelError } from '../errors.ts';
import { describeContinuity } from '../model/continuity.ts';
import { isFinal, type Recording } from '../model/recording.ts';
import type { QualityReport } from '../model/report.ts';
import { objectKeys } from '../storage/keys.ts';
import { idOf, keyOnly } from './access.ts';
import type { ApiContext } from './context.ts';
import { notYet } from './problem.ts';

/** A worker counts once a second, from the first picture on. */
const RETRY_AFTER_S = 1;

/** A recording's quality report: as it stands while it runs, `report.json` afterwards. */
export function reportRoutes(context: ApiContext): Router {
  const router = Router();
  router.get('/recordings/:id/report', keyOnly, sendReport(context));
  return router;
}

function sendReport(context: ApiContext): RequestHandler {
  return async (request, response) => {
    const recording = await context.recordings.get(idOf(request));
    response.set('Cache-Control', 'no-store');
    if (!isFinal(recording.state)) {
      response.json(await describeRunning(context, recording));
      return;
    }
    const key = objectKeys.report(recording.id);
    if ((await context.store.find(key)) === undefined) {
      throw new ChalkreelError('nothing-recorded', `Recording ${recording.id} has no picture`, {
        fault: 'input',
      });
    }
    response.type('json').send(await context.store.read(key));
  };
}

async function describeRunning(context: ApiContext, recording: Recording): Promise<QualityReport> {
  const { id, state, settings, originMs, leadInMs } = recording;
  const progress = await context.recordings.findProgress(id);
  if (progress === undefined || originMs === null || leadInMs === null) {
    const message = `Recording ${id} is ${state}: nothing has been counted yet`;
    throw notYet('not-started', message, RETRY_AFTER_S);
  }
  return {
    ...progress,
    settings,
    originMs,
    firstFrameMs: originMs + leadInMs,
    leadInMs,
    endedAtMs: null,
    tailPaddingMs: null,
    end: null,
    durationMs: progress.recordedMs,
    ownerChanges: recording.ownerChanges ?? 0,
    ...describeContinuity(await context.entries.read(id)),
  };
}
