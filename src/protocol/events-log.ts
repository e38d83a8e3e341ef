import { z } from 'zod';

/**
 * `events.jsonl`: what happened in a recorded class, one JSON object a line, in order of time, each event once. `offsetMs` is its
 * place in the recording (negative: before it began), `atMs` the same as Unix time of the fleet's clock. Types that are not named here are
 * what the recorded page reported by `window.chalkreel.event`, as it reported them.
 */

const id = z.string().min(1).max(128);
const text = (max: number): z.ZodString => z.string().max(max);
const role = z.string().max(64);
const span = z.number().int().nonnegative();

/** What every line begins with. */
const lineFields = {
  /** From the recording's origin, ms. */
  offsetMs: z.number().int(),
  /** Unix ms. */
  atMs: z.number().int().nonnegative(),
};
const common = {
  /** The event's own id, where the class gave it one. */
  eventId: z.string().min(1).max(200).optional(),
  /** Nobody heard it happen: it was so when a recorder began to listen, or listened again. */
  found: z.boolean().optional(),
};

const line = <T extends string, S extends z.ZodRawShape>(
  type: T,
  shape: S,
): z.ZodObject<typeof lineFields & { type: z.ZodLiteral<T> } & typeof common & S> =>
  z.object({ ...lineFields, type: z.literal(type), ...common, ...shape });

/** The lines that Chalkreel's own classroom page and the recorder write. */
export const eventLineSchema = z.discriminatedUnion('type', [
  line('join', { participantId: id, name: text(100), role }),
  line('leave', { participantId: id }),
  line('mute', { participantId: id, muted: z.boolean() }),
  line('chat', { participantId: id, name: text(100), role, text: text(2000) }),
  line('raise-hand', { participantId: id, raised: z.boolean() }),
  line('reward', { participantId: id, title: text(200).optional(), givenBy: text(200).optional() }),
  line('spotlight', { participantId: id }),
  /** Nobody is in the spotlight any more. */
  line('spotlight-end', {}),
  line('layout', { layout: text(64) }),
  /** A moment was saved; `eventId` is its `triggerId`. */
  line('highlight', {
    title: text(200).optional(),
    requestedBy: text(200).optional(),
    beforeMs: span.optional(),
    afterMs: span.optional(),
    startMs: span.optional(),
    endMs: span.optional(),
    participants: z.array(id).optional(),
    tags: z.array(text(64)).optional(),
  }),
  line('class-start', {}),
  line('class-end', { reason: text(200).optional() }),
  /** The class was told that it is being recorded, or no longer. */
  line('recording', { state: z.enum(['started', 'stopped']) }),
  /** The recorder's own connection to signalling. */
  line('signalling', { state: z.enum(['connecting', 'open', 'reconnecting']) }),
  /** So many events were left out here: the page said more than is taken. `rate`: in a short time; `size`: in all. */
  line('dropped', { events: span, why: z.enum(['rate', 'size']) }),
]);
export type EventLine = z.infer<typeof eventLineSchema>;

/** Any line: also those of types that only the recorded page knows. */
export const anyEventLineSchema = z.looseObject({
  ...lineFields,
  type: z.string().min(1).max(64),
  ...common,
});

/** An event as a worker keeps it until the log is written: without its place, which follows from the recording's origin. */
export const heardEventSchema = z.looseObject({
  type: z.string().min(1).max(64),
  atMs: z.number().int().nonnegative(),
  ...common,
});
export type HeardEvent = z.infer<typeof heardEventSchema>;
