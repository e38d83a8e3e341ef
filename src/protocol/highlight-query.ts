import { z } from 'zod';
import { momentFields } from './highlight-trigger.ts';
import { viewerIdSchema } from './share-request.ts';

const name = z.string().min(1).max(200);

/** A time in a query: Unix ms, or a date and time (ISO 8601) with its zone, or a date (UTC). */
const time = z.string().transform((text, context) => {
  const unixMs = /^\d{1,15}$/.test(text) ? Number(text) : parseDate(text);
  if (!Number.isNaN(unixMs)) return unixMs;
  context.addIssue({ code: 'custom', message: 'expected Unix ms or an ISO 8601 time with a zone' });
  return z.NEVER;
});

/** A time without a zone would mean the server's, which nobody knows. */
function parseDate(text: string): number {
  return /^\d{4}-\d\d-\d\d(T.+(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : NaN;
}

/** Query of GET /v1/highlights: all that is named must hold. */
export const highlightQuerySchema = z
  .strictObject({
    recording: name.optional(),
    teacher: name.optional(),
    participant: name.optional(),
    tag: name.optional(),
    favouriteOf: viewerIdSchema.optional(),
    state: z.enum(['open', 'assembling', 'completed', 'failed']).optional(),
    from: time.optional(),
    to: time.optional(),
    limit: z.coerce.number().int().min(1).max(100).default(20),
    cursor: z.string().max(300).optional(),
  })
  .transform(({ recording, from, to, ...rest }) => ({
    ...rest,
    recordingId: recording,
    fromMs: from,
    toMs: to,
  }));

/** Body of PATCH /v1/highlights/:id: what is absent stays; a title of null takes it away. */
export const highlightChangeSchema = z
  .strictObject({
    title: momentFields.title.unwrap().nullable().optional(),
    tags: momentFields.tags,
    participants: momentFields.participants,
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    error: 'expected at least one of title, tags and participants',
  });
