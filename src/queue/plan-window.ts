import { inputError } from '../errors.ts';
import type { ClipWindow } from '../model/highlight.ts';

/** What a recording covers, Unix ms; `endMs` is null while it goes on. */
export type RecordedSpan = { readonly startMs: number; readonly endMs: number | null };

/** The window around a trigger, cut to what is recorded, with a sentence for each cut. Throws when nothing is left. */
export function planWindow(
  wish: { readonly triggeredAtMs: number; readonly beforeMs: number; readonly afterMs: number },
  span: RecordedSpan,
): { readonly window: ClipWindow; readonly warnings: readonly string[] } {
  const asked = {
    startMs: wish.triggeredAtMs - wish.beforeMs,
    endMs: wish.triggeredAtMs + wish.afterMs,
  };
  if (asked.endMs <= asked.startMs) {
    throw inputError('beforeMs', 'Expected beforeMs + afterMs to be more than 0 ms');
  }
  const window = {
    startMs: Math.max(asked.startMs, span.startMs),
    endMs: Math.min(asked.endMs, span.endMs ?? Infinity),
  };
  if (window.endMs <= window.startMs) {
    throw inputError(
      'atMs',
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
