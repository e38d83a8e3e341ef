import { systemClock } from '../../src/clock.ts';
import type { Log } from '../../src/log.ts';
import type { HighlightOrigin } from '../../src/model/highlight.ts';
import type { Recording } from '../../src/model/recording.ts';
import type { ClassEvent } from '../../src/protocol/class-event.ts';
import type { HighlightTrigger } from '../../src/protocol/highlight-trigger.ts';
import { isRefusedTrigger } from '../../src/queue/request-highlight.ts';
import type { RequestHighlight } from '../../src/queue/services.ts';
import { planRuleTriggers } from './highlight-rules.ts';
import { retried } from '../retried.ts';

/** A page is not trusted: so many moments at once, and so many a minute after that; more are dropped. */
const MOMENTS_AT_ONCE = 60;
const MOMENTS_PER_MINUTE = 60;
const MINUTE_MS = 60_000;

export type ClassMomentsOptions = {
  readonly recording: Pick<Recording, 'id' | 'source' | 'settings' | 'createdAtMs'>;
  readonly requestHighlight: RequestHighlight;
  /** The fleet's clock, Unix ms. */
  readonly nowMs: () => number;
  /** The clock of the machine that the page runs on, Unix ms. Default: this one's. */
  readonly pageNowMs?: () => number;
  readonly log: Log;
  /** Aborts when nobody listens any more: what could not be written until then is heard by whoever comes next. */
  readonly signal: AbortSignal;
};

/** A run, as far as its moments are concerned. */
type MomentSource = {
  on(event: 'highlight', listener: (trigger: HighlightTrigger) => void): unknown;
  on(event: 'classEvent', listener: (event: ClassEvent) => void): unknown;
};

/**
 * Keeps the moments that a running recording hears of: those that are asked for, by signalling or the page, and those that its rules make
 * of events. Every lane and every worker that takes over hears them; they are one by their ids. Trouble is retried and never thrown.
 */
export function keepClassMoments(run: MomentSource, options: ClassMomentsOptions): void {
  const { recording, nowMs, pageNowMs = () => systemClock.nowMs() } = options;
  const asked: HighlightOrigin = recording.source.kind === 'classroom' ? 'signalling' : 'page';
  const isAllowed = limiter(options);
  const keep = (trigger: HighlightTrigger, origin: HighlightOrigin): void => {
    if (isAllowed()) request(trigger, origin, options);
  };
  run.on('highlight', (trigger) => {
    keep(onFleetClock(trigger, nowMs() - pageNowMs(), nowMs()), asked);
  });
  run.on('classEvent', (event) => {
    const { settings, createdAtMs } = recording;
    for (const trigger of planRuleTriggers(settings.highlights.rules, event)) {
      const { atMs = 0, ...rest } = onFleetClock(trigger, nowMs() - pageNowMs(), nowMs());
      // Whoever joins a class is told of what happened before, too.
      if (atMs >= createdAtMs) keep({ ...rest, atMs }, 'rule');
    }
  });
}

/** A page knows the time of its machine; a recording's is the fleet's. Without a time it is now: hearing it again must not move it. */
function onFleetClock(trigger: HighlightTrigger, aheadMs: number, nowMs: number): HighlightTrigger {
  const { atMs, startMs, endMs, ...rest } = trigger;
  const shift = (ms: number): number => Math.max(0, Math.round(ms + aheadMs));
  if (startMs === undefined || endMs === undefined) {
    return { ...rest, atMs: atMs === undefined ? Math.round(nowMs) : shift(atMs) };
  }
  const span = { startMs: shift(startMs), endMs: shift(endMs) };
  return { ...rest, ...span, ...(atMs === undefined ? {} : { atMs: shift(atMs) }) };
}

function request(
  trigger: HighlightTrigger,
  origin: HighlightOrigin,
  { recording, requestHighlight, log, signal }: ClassMomentsOptions,
): void {
  retried(() => requestHighlight(recording.id, trigger, origin), signal).then(
    ({ highlight, created }) => {
      if (created) log.info({ event: 'moment-kept', highlightId: highlight.id, origin });
    },
    (error: unknown) => {
      const { triggerId } = trigger;
      if (isRefusedTrigger(error)) log.debug({ event: 'moment-refused', triggerId, err: error });
      else if (!signal.aborted) log.warn({ event: 'moment-not-kept', triggerId, err: error });
    },
  );
}

/** A bucket that fills with time. */
function limiter({ nowMs, log }: ClassMomentsOptions): () => boolean {
  let left = MOMENTS_AT_ONCE;
  let seenMs = nowMs();
  return () => {
    const now = nowMs();
    const earned = ((now - seenMs) / MINUTE_MS) * MOMENTS_PER_MINUTE;
    left = Math.min(MOMENTS_AT_ONCE, left + Math.max(0, earned));
    seenMs = now;
    const hadOne = left >= 1;
    if (hadOne) left -= 1;
    else log.warn({ event: 'moment-dropped', why: 'more than the page may ask for' });
    return hadOne;
  };
}
