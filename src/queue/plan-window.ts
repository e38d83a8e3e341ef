import { inputError } from '../errors.ts';
import { DEFAULT_AFTER_MS, DEFAULT_BEFORE_MS, type ClipWindow } from '../model/highlight.ts';
import type { HighlightTrigger } from '../protocol/highlight-trigger.ts';

/** What a recording covers, Unix ms; `endMs` is null while it goes on. */
export type RecordedSpan = { readonly startMs: number; readonly endMs: number | null };

/** The moment a trigger means and the span around it, as asked for; Unix ms and ms. */
export type AskedWindow = {
  readonly triggeredAtMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
};

/** How far another machine's clock may be ahead of ours. */
const MAX_FUTURE_MS = 60_000;

/**
 * The window that a trigger asks for: around its moment, or its span, whose moment is the middle unless one in it is named. Throws an
 * input error for an empty one, one longer than `maxClipMs`, and one that has not come yet.
 */
export function planAskedWindow(
  trigger: HighlightTrigger,
  { nowMs, maxClipMs }: { readonly nowMs: number; readonly maxClipMs: number },
): AskedWindow {
  const { startMs, endMs, atMs } = trigger;
  const isSpan = startMs !== undefined && endMs !== undefined;
  const asked = isSpan ? ofSpan({ startMs, endMs }, atMs) : aroundMoment(trigger, nowMs);
  const lengthMs = asked.beforeMs + asked.afterMs;
  if (lengthMs > maxClipMs) {
    const message = `Expected a window of at most ${maxClipMs} ms, got ${lengthMs} ms`;
    throw inputError(isSpan ? 'endMs' : longerOf(asked), message, 'window-too-long');
  }
  if (asked.triggeredAtMs > nowMs + MAX_FUTURE_MS) {
    throw inputError(
      isSpan ? 'startMs' : 'atMs',
      `Expected a time not in the future (now is ${nowMs}), got ${asked.triggeredAtMs}`,
    );
  }
  return asked;
}

function ofSpan({ startMs, endMs }: ClipWindow, atMs: number | undefined): AskedWindow {
  if (endMs <= startMs) {
    const message = `Expected endMs after startMs (${startMs}), got ${endMs}`;
    throw inputError('endMs', message, 'window-empty');
  }
  if (atMs !== undefined && (atMs < startMs || atMs > endMs)) {
    throw inputError(
      'atMs',
      `Expected a time within the span (${startMs} to ${endMs}), got ${atMs}`,
    );
  }
  const triggeredAtMs = atMs ?? Math.floor((startMs + endMs) / 2);
  return { triggeredAtMs, beforeMs: triggeredAtMs - startMs, afterMs: endMs - triggeredAtMs };
}

function aroundMoment(trigger: HighlightTrigger, nowMs: number): AskedWindow {
  const { atMs = nowMs, beforeMs = DEFAULT_BEFORE_MS, afterMs = DEFAULT_AFTER_MS } = trigger;
  if (beforeMs + afterMs <= 0) {
    const message = 'Expected beforeMs + afterMs to be more than 0 ms';
    throw inputError('beforeMs', message, 'window-empty');
  }
  return { triggeredAtMs: atMs, beforeMs, afterMs };
}

function longerOf({ beforeMs, afterMs }: AskedWindow): string {
  return afterMs > beforeMs ? 'afterMs' : 'beforeMs';
}

/** The span asked for, Unix ms. */
export function spanOf({ triggeredAtMs, beforeMs, afterMs }: AskedWindow): ClipWindow {
  return { startMs: triggeredAtMs - beforeMs, endMs: triggeredAtMs + afterMs };
}

/**
 * The window asked for, cut to what is recorded, with a sentence for each cut. Throws `window-outside-recording` when nothing is left;
 * `field` is what is named then.
 */
export function planWindow(
  wish: AskedWindow,
  span: RecordedSpan,
  field = 'atMs',
): { readonly window: ClipWindow; readonly warnings: readonly string[] } {
  const asked = spanOf(wish);
  const window = {
    startMs: Math.max(asked.startMs, span.startMs),
    endMs: Math.min(asked.endMs, span.endMs ?? Infinity),
  };
  if (window.endMs <= window.startMs) {
    throw inputError(
      field,
      `Expected a window within the recording (${span.startMs} to ${span.endMs ?? 'now'}), got ${asked.startMs} to ${asked.endMs}`,
      'window-outside-recording',
    );
  }
  const warnings: string[] = [];
  if (window.startMs > asked.startMs) {
    warnings.push(
      `The window begins ${window.startMs - asked.startMs} ms later than asked: the recording starts there.`,
    );
  }
  if (window.endMs < asked.endMs) {
    warnings.push(
      `The window ends ${asked.endMs - window.endMs} ms earlier than asked: the recording ends there.`,
    );
  }
  return { window, warnings };
}
