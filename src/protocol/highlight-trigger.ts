import { z } from 'zod';
import { CLIP_PRECISIONS } from '../model/highlight.ts';

const unixMs = z.number().int().nonnegative();
/** Checked against the recording's longest clip later; this only keeps the arithmetic safe. */
const spanMs = z.number().int().min(0).max(86_400_000);

/** What a trigger says besides its time; the same in the API, in signalling and in the page. */
export const momentFields = {
  beforeMs: spanMs.optional(),
  afterMs: spanMs.optional(),
  title: z.string().max(200).optional(),
  /** Whose moment it is. */
  participants: z.array(z.string().min(1).max(128)).max(50).optional(),
  tags: z.array(z.string().min(1).max(64)).max(20).optional(),
  /** Default `frame`. */
  precision: z.enum(CLIP_PRECISIONS, `expected one of ${CLIP_PRECISIONS.join(', ')}`).optional(),
  /** Grow an open highlight that this one overlaps, instead of making another. */
  merge: z.boolean().optional(),
} as const;

/**
 * A wish to keep a moment, however it arrives: API body, panel, signalling message, page call, rule. Either a moment (`atMs`, now
 * unless given, with `beforeMs` and `afterMs`) or a span (`startMs` and `endMs`).
 */
export const highlightTriggerSchema = z
  .strictObject({
    /** Made by the one who triggers, so that the same trigger heard twice is one highlight. */
    triggerId: z.string().min(1).max(128).optional(),
    /** Unix ms; default is now, or the middle of the span. */
    atMs: unixMs.optional(),
    /** A span, Unix ms: start inclusive, end exclusive. */
    startMs: unixMs.optional(),
    endMs: unixMs.optional(),
    ...momentFields,
    requestedBy: z.string().max(200).optional(),
  })
  .superRefine(({ startMs, endMs, beforeMs, afterMs }, context) => {
    const refuse = (field: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [field], message });
    };
    if (startMs === undefined && endMs === undefined) return;
    if (startMs === undefined) refuse('startMs', 'expected startMs together with endMs');
    else if (endMs === undefined) refuse('endMs', 'expected endMs together with startMs');
    if (beforeMs !== undefined) refuse('beforeMs', 'expected a span or beforeMs, not both');
    if (afterMs !== undefined) refuse('afterMs', 'expected a span or afterMs, not both');
  });
export type HighlightTrigger = z.infer<typeof highlightTriggerSchema>;
