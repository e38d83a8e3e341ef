import { z } from 'zod';

const id = z.string().min(1).max(64);
const DAY_S = 86_400;

/** The platform's own id of a person who looks at something. */
export const viewerIdSchema = z.string().min(1).max(128);

/** Body of POST /v1/shares: exactly one of `recordingId` and `highlightId`. */
export const createShareSchema = z
  .strictObject({
    recordingId: id.optional(),
    highlightId: id.optional(),
    rights: z
      .array(z.enum(['play', 'download', 'favourite', 'trigger']))
      .min(1, 'expected at least one right')
      .default(['play']),
    /** Whom it is for: favourites are kept for this id. */
    viewer: viewerIdSchema.optional(),
    /** Seconds from now; ten years at most. */
    expiresInS: z
      .number()
      .int()
      .min(1)
      .max(3653 * DAY_S)
      .default(30 * DAY_S),
  })
  .superRefine(({ recordingId, highlightId, rights, viewer }, context) => {
    const refuse = (field: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [field], message });
    };
    if ((recordingId === undefined) === (highlightId === undefined)) {
      refuse('recordingId', 'expected exactly one of recordingId and highlightId');
    }
    if (rights.includes('favourite') && viewer === undefined) {
      refuse('viewer', 'expected a viewer, whose favourites they are');
    }
    if (rights.includes('trigger') && recordingId === undefined) {
      refuse('rights', 'expected a recording: moments of a highlight cannot be saved');
    }
  });
export type CreateShare = z.infer<typeof createShareSchema>;
