import type { Clock } from '../clock.ts';
import { inputError } from '../errors.ts';
import { SEGMENT_MS, segmentStartMs } from '../model/grid.ts';
import type { Highlight, HighlightOrigin } from '../model/highlight.ts';
import { isFinal, type Recording } from '../model/recording.ts';
import type { HighlightTrigger } from '../protocol/highlight-trigger.ts';
import type { HighlightRepository } from '../storage/highlight-repository.ts';
import type { RecordingRepository } from '../storage/recording-repository.ts';
import type { SegmentIndex } from '../storage/segment-index.ts';
import { planWindow, type RecordedSpan } from './plan-window.ts';
import type { RequestHighlight, WorkQueue } from './services.ts';

/** How far another machine's clock may be ahead of ours. */
const MAX_FUTURE_MS = 60_000;

/**
 * Makes the function that turns a trigger into a stored highlight and its job. It throws `recording-not-found`, or an input
 * error for a window outside what is recorded. The same trigger again gives the same highlight.
 */
export function createRequestHighlight(services: {
  readonly recordings: RecordingRepository;
  readonly highlights: HighlightRepository;
  readonly segments: SegmentIndex;
  readonly queue: WorkQueue;
  readonly clock: Clock;
  /** Makes ids for highlights, and for triggers that bring none. */
  readonly newId: () => string;
}): RequestHighlight {
  const { recordings, highlights, segments, queue, clock, newId } = services;
  return async (recordingId, trigger, origin) => {
    const recording = await recordings.get(recordingId);
    const nowMs = Math.round(clock.nowMs());
    const span = await findSpan(recording, segments);
    const wish = describeHighlight({ recording, trigger, origin, nowMs, span, newId });
    const result = await highlights.create(wish);
    // Also for a trigger heard before: whoever stored it may have died before asking for its job.
    if (result.highlight.state === 'open') {
      await queue.enqueueHighlight(result.highlight.id, {
        notBeforeMs: result.highlight.window.endMs,
      });
    }
    return result;
  };
}

async function findSpan(recording: Recording, segments: SegmentIndex): Promise<RecordedSpan> {
  const startMs = recording.originMs ?? recording.createdAtMs;
  if (!isFinal(recording.state)) return { startMs, endMs: null };
  const count = await segments.count(recording.id);
  const last = (await segments.read(recording.id, Math.max(0, count - 1))).at(-1);
  if (last === undefined || recording.originMs === null) {
    throw inputError('id', `Recording ${recording.id} has no picture`, 'nothing-recorded');
  }
  return { startMs, endMs: segmentStartMs(last.n, recording.originMs) + SEGMENT_MS };
}

function describeHighlight(options: {
  readonly recording: Recording;
  readonly trigger: HighlightTrigger;
  readonly origin: HighlightOrigin;
  readonly nowMs: number;
  readonly span: RecordedSpan;
  readonly newId: () => string;
}): Highlight {
  const { recording, trigger, origin, nowMs, span, newId } = options;
  const triggeredAtMs = trigger.atMs ?? nowMs;
  if (triggeredAtMs > nowMs + MAX_FUTURE_MS) {
    throw inputError(
      'atMs',
      `Expected a time not in the future (now is ${nowMs}), got ${triggeredAtMs}`,
    );
  }
  const { window, warnings } = planWindow({ ...trigger, triggeredAtMs }, span);
  return {
    id: newId(),
    recordingId: recording.id,
    triggerId: trigger.triggerId ?? newId(),
    origin,
    triggeredAtMs,
    beforeMs: trigger.beforeMs,
    afterMs: trigger.afterMs,
    title: trigger.title ?? null,
    requestedBy: trigger.requestedBy ?? null,
    createdAtMs: nowMs,
    state: 'open',
    reason: null,
    window,
    clip: null,
    warnings,
  };
}
