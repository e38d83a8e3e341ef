import { ChalkreelError, inputError } from '../errors.ts';
import type { Log } from '../log.ts';
import { SEGMENT_MS, segmentStartMs } from '../model/grid.ts';
import type { Highlight } from '../model/highlight.ts';
import { isFinal, type Recording } from '../model/recording.ts';
import type { HighlightRepository } from '../storage/records/highlight-repository.ts';
import type { RecordingRepository } from '../storage/records/recording-repository.ts';
import type { SegmentIndex } from '../storage/index/segment-index.ts';
import { mergeHighlight } from './merge-highlight.ts';
import { planHighlight, type HighlightPlan } from './plan-highlight.ts';
import type { RecordedSpan } from './plan-window.ts';
import type { RequestHighlight, WorkQueue } from './services.ts';

export type RequestHighlightServices = {
  readonly recordings: RecordingRepository;
  readonly highlights: HighlightRepository;
  readonly segments: SegmentIndex;
  readonly queue: WorkQueue;
  readonly log: Log;
  /** The fleet's clock, Unix ms. */
  readonly fleetNowMs: () => Promise<number>;
  /** Makes ids for highlights, and for triggers that bring none. */
  readonly newId: () => string;
};

/**
 * Makes the function that turns a trigger into a stored highlight and asks for its clip. It throws `recording-not-found`,
 * `nothing-recorded`, `window-empty`, `window-too-long`, `window-outside-recording`, or `highlight-deleted` for one heard again.
 */
export function createRequestHighlight(services: RequestHighlightServices): RequestHighlight {
  const { recordings, highlights, segments, fleetNowMs, newId } = services;
  const ends: Ends = new Map();
  return async (recordingId, trigger, origin, { onPlanned } = {}) => {
    const { triggerId, merge = false } = trigger;
    // In one go: Redis is asked for all in the same moment.
    const [recording, nowMs, known] = await Promise.all([
      recordings.get(recordingId),
      fleetNowMs(),
      triggerId === undefined ? undefined : highlights.findByTrigger(recordingId, triggerId),
    ]);
    const span = await findSpan(recording, segments, { ends, nowMs });
    const plan = planHighlight({ recording, trigger, origin, nowMs, span, newId });
    const present =
      known ??
      (merge ? await mergeHighlight(plan.highlight, { recording, nowMs }, services) : undefined);
    if (present !== undefined) {
      askForClip(present, services);
      return { highlight: present, created: false };
    }
    onPlanned?.(plan.highlight);
    return create(plan, services);
  };
}

/** Ends of recordings that are over are believed so long, and so many: what a dead worker has left may yet be found. */
const END_TTL_MS = 10_000;
const MAX_ENDS = 1000;
type Ends = Map<string, { readonly endMs: number; readonly untilMs: number }>;

/** From its first picture to the end of its last segment. */
async function findSpan(
  recording: Recording,
  segments: SegmentIndex,
  { ends, nowMs }: { readonly ends: Ends; readonly nowMs: number },
): Promise<RecordedSpan> {
  const { id, originMs, leadInMs, createdAtMs, state } = recording;
  const startMs = originMs === null ? createdAtMs : originMs + Math.ceil(leadInMs ?? 0);
  if (!isFinal(state)) return { startMs, endMs: null };
  const known = ends.get(id);
  if (known !== undefined && nowMs < known.untilMs) return { startMs, endMs: known.endMs };
  const last = await segments.findLast(id);
  if (last === undefined || originMs === null) {
    throw inputError('id', `Recording ${id} has no picture`, 'nothing-recorded');
  }
  const endMs = segmentStartMs(last.n, originMs) + SEGMENT_MS;
  ends.set(id, { endMs, untilMs: nowMs + END_TTL_MS });
  for (const oldest of ends.keys()) {
    if (ends.size <= MAX_ENDS) break;
    ends.delete(oldest);
  }
  return { startMs, endMs };
}

async function create(
  { highlight, ...options }: HighlightPlan,
  services: RequestHighlightServices,
): Promise<{ readonly highlight: Highlight; readonly created: boolean }> {
  const result = await services.highlights.create(highlight, options);
  askForClip(result.highlight, services);
  return result;
}

/** Nobody waits for it, whoever is answered comes first: what is stored and has no job is found by the sweep. */
function askForClip(
  { id, state, window }: Highlight,
  { queue, log }: RequestHighlightServices,
): void {
  if (state !== 'open') return;
  setImmediate(() => {
    queue.enqueueHighlight(id, { windowEndMs: window.endMs }).catch((error: unknown) => {
      log.warn({ event: 'highlight-not-enqueued', highlightId: id, err: error });
    });
  });
}

/** Whether a trigger could never have become a highlight: it is its sender's fault, and hearing it again changes nothing. */
export function isRefusedTrigger(error: unknown): boolean {
  return error instanceof ChalkreelError && error.fault === 'input';
}
