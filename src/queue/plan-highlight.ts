import { createHash } from 'node:crypto';
import type { Highlight, HighlightOrigin } from '../model/highlight.ts';
import { teacherOf, type Recording } from '../model/recording.ts';
import type { HighlightTrigger } from '../protocol/highlight-trigger.ts';
import type { CreateHighlightOptions } from '../storage/records/highlight-repository.ts';
import { planAskedWindow, planWindow, type RecordedSpan } from './plan-window.ts';

/** A highlight to be made, and how its trigger is to be taken. */
export type HighlightPlan = CreateHighlightOptions & { readonly highlight: Highlight };

/** The highlight that a trigger asks for. Throws an input error that names the field for a window that cannot be. */
export function planHighlight(options: {
  readonly recording: Recording;
  readonly trigger: HighlightTrigger;
  readonly origin: HighlightOrigin;
  /** By the fleet's clock, Unix ms. */
  readonly nowMs: number;
  readonly span: RecordedSpan;
  readonly newId: () => string;
}): HighlightPlan {
  const { recording, trigger, origin, nowMs, span, newId } = options;
  const { maxClipMs } = recording.settings.highlights;
  const asked = planAskedWindow(trigger, { nowMs, maxClipMs });
  const field = trigger.startMs === undefined ? 'atMs' : 'startMs';
  const highlight: Highlight = {
    id: newId(),
    recordingId: recording.id,
    triggerId: trigger.triggerId ?? newId(),
    origin,
    ...asked,
    title: trigger.title ?? null,
    requestedBy: trigger.requestedBy ?? null,
    participants: unique(trigger.participants),
    tags: unique(trigger.tags),
    precision: trigger.precision ?? 'frame',
    createdAtMs: nowMs,
    state: 'open',
    reason: null,
    clip: null,
    ...planWindow(asked, span, field),
    teacher: teacherOf(recording),
  };
  const isHeard = origin === 'signalling' || origin === 'page' || origin === 'rule';
  const press = isPress(trigger, origin) ? digestOf(highlight, trigger) : undefined;
  return { highlight, press, isHeard };
}

/**
 * Whether somebody pressed a button, who may press it twice: a person is named, or it came by the panel, or nobody gave it an id. An id
 * without a person is a program's: it knows what it wants.
 */
function isPress({ triggerId, requestedBy }: HighlightTrigger, origin: HighlightOrigin): boolean {
  return triggerId === undefined || requestedBy !== undefined || origin === 'panel';
}

/** The same for presses that ask for the same, in the same place, by the same person; times apart. A span counts with its times. */
function digestOf(highlight: Highlight, { startMs, endMs }: HighlightTrigger): string {
  const { origin, requestedBy, beforeMs, afterMs, title, participants, tags, precision } =
    highlight;
  const asked = [
    ...[origin, requestedBy, beforeMs, afterMs, title, precision],
    ...[[...participants].sort(), [...tags].sort(), startMs ?? null, endMs ?? null],
  ];
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, 32);
}

function unique(names: readonly string[] = []): readonly string[] {
  return [...new Set(names)];
}
