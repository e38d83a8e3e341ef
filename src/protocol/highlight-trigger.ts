import { z } from 'zod';
import { DEFAULT_AFTER_MS, DEFAULT_BEFORE_MS } from '../model/highlight.ts';

/** Longest span before or after a trigger. */
const MAX_SPAN_MS = 10 * 60_000;

/** A wish to keep a moment, however it arrives: API body, signalling message, page call. */
export const highlightTriggerSchema = z.strictObject({
  /** Made by the one who triggers, so that the same trigger heard twice is one highlight. */
  triggerId: z.string().min(1).max(128).optional(),
  /** Unix ms; default is now. */
  atMs: z.number().int().nonnegative().optional(),
  beforeMs: z.number().int().min(0).max(MAX_SPAN_MS).default(DEFAULT_BEFORE_MS),
  afterMs: z.number().int().min(0).max(MAX_SPAN_MS).default(DEFAULT_AFTER_MS),
  title: z.string().max(200).optional(),
  requestedBy: z.string().max(200).optional(),
});
export type HighlightTrigger = z.infer<typeof highlightTriggerSchema>;
