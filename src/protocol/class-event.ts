import { z } from 'zod';

const id = z.string().min(1).max(128);

/** Something that happened in a class, as a page reports it: what the recording's rules look at, and a line of its log. */
export const classEventSchema = z.looseObject({
  type: z.string().min(1).max(64),
  /** The same for everybody who hears of it; without one, hearing it twice within 2 s is hearing it once. */
  eventId: z.string().min(1).max(200).optional(),
  /** Unix ms of the machine the page runs on; now when absent. */
  atMs: z.number().nonnegative().optional(),
  /** It was so already when the page began to listen, or listened again. */
  found: z.boolean().optional(),
  /** Whose moment it is. */
  participantId: id.optional(),
  title: z.string().max(200).optional(),
});
export type ClassEvent = z.infer<typeof classEventSchema>;
