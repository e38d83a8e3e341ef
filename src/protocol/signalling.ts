import { z } from 'zod';
import { momentFields } from './highlight-trigger.ts';

/**
 * The class's signalling: JSON objects in WebSocket text messages, each with a `type`. A client speaks
 * `ClientMessage`, the server `ServerMessage`. Messages of an unknown type are ignored and counted (newer
 * peers may say more); malformed and oversized ones are refused with an `error` message. Unknown fields of
 * known types are dropped. Times are Unix ms of the server's clock.
 *
 * A client joins with a role. `recorder` is invisible to everybody and may only listen; `teacher` and
 * `tutor` may change layout and spotlight, give rewards, start and end the class, and save moments.
 */

/** Longest message either side accepts, bytes of UTF-8: a snapshot of a big class fits, a flood does not. */
export const MAX_SIGNALLING_BYTES = 65_536;
/** Chat messages, highlights and rewards a snapshot carries at most. */
export const SNAPSHOT_CHAT_TAIL = 50;
export const SNAPSHOT_HIGHLIGHTS = 20;
export const SNAPSHOT_REWARDS = 20;

const id = z.string().min(1).max(128);
const name = z.string().min(1).max(100);
const unixMs = z.number().int().nonnegative();
const reason = z.string().max(200);

export const participantRoleSchema = z.enum(['teacher', 'tutor', 'student', 'recorder']);

/** `board`: streams in a row over the whiteboard; `speaker`: the spotlit stream beside the board; `grid`: streams only. */
export const layoutSchema = z.enum(['board', 'speaker', 'grid']);
export type ClassroomLayout = z.infer<typeof layoutSchema>;

const participant = z.object({
  participantId: id,
  name,
  role: participantRoleSchema,
  muted: z.boolean(),
});
export type Participant = z.infer<typeof participant>;

const chatLine = z.object({
  chatId: id,
  participantId: id,
  name,
  role: participantRoleSchema,
  text: z.string().min(1).max(2000),
  atMs: unixMs,
});
export type ChatLine = z.infer<typeof chatLine>;

const windowFields = {
  /** Made by the one who triggers: the same trigger heard twice is one highlight. */
  triggerId: id,
  ...momentFields,
};
const savedMoment = z.object({
  ...windowFields,
  requestedBy: z.string().max(200),
  atMs: unixMs,
});
export type SavedMoment = z.infer<typeof savedMoment>;

const rewardFields = {
  /** Made by the one who gives it: the same reward heard twice is one. */
  rewardId: id,
  participantId: id,
  title: z.string().max(100).optional(),
};
const reward = z.object({ ...rewardFields, givenBy: z.string().max(200), atMs: unixMs });
export type Reward = z.infer<typeof reward>;

/** Who is in the spotlight since when; the server gives each change an id of its own. */
const spotlightChange = z.object({ eventId: id, participantId: id, atMs: unixMs });
export type SpotlightChange = z.infer<typeof spotlightChange>;

const message = <T extends string, S extends z.ZodRawShape>(
  type: T,
  shape: S,
): z.ZodObject<{ type: z.ZodLiteral<T> } & S> => z.object({ type: z.literal(type), ...shape });

export const clientMessageSchema = z.discriminatedUnion('type', [
  /** First message of a connection. Without a `participantId` the server makes one. */
  message('join', { name, role: participantRoleSchema, participantId: id.optional() }),
  message('leave', {}),
  message('mute', { muted: z.boolean() }),
  message('chat', { text: z.string().min(1).max(2000) }),
  message('raise-hand', { raised: z.boolean() }),
  message('layout', { layout: layoutSchema }),
  message('spotlight', { participantId: id.nullable() }),
  /** "Save this moment". */
  message('highlight', windowFields),
  /** A star for a participant. */
  message('reward', rewardFields),
  message('class-start', {}),
  message('class-end', { reason: reason.optional() }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;

export const serverMessageSchema = z.discriminatedUnion('type', [
  /** The whole state of the class, answering a join. */
  message('snapshot', {
    participantId: id,
    title: z.string().max(200),
    roster: z.array(participant).max(1000),
    chat: z.array(chatLine).max(SNAPSHOT_CHAT_TAIL),
    hands: z.array(id).max(1000),
    layout: layoutSchema,
    spotlight: id.nullable(),
    highlights: z.array(savedMoment).max(SNAPSHOT_HIGHLIGHTS),
    /** Like the spotlight's change, for listeners who were away: absent from servers that do not keep them. */
    rewards: z.array(reward).max(SNAPSHOT_REWARDS).optional(),
    spotlightChange: spotlightChange.nullable().optional(),
    startedAtMs: unixMs.nullable(),
    endedAtMs: unixMs.nullable(),
    /** The server's clock when it answered, so that ages need no common clock. */
    nowMs: unixMs,
  }),
  message('join', { participant }),
  message('leave', { participantId: id }),
  message('mute', { participantId: id, muted: z.boolean() }),
  message('chat', { line: chatLine }),
  message('raise-hand', { participantId: id, raised: z.boolean() }),
  message('layout', { layout: layoutSchema }),
  message('spotlight', { participantId: id.nullable(), change: spotlightChange.optional() }),
  message('highlight', { moment: savedMoment }),
  message('reward', { reward }),
  message('class-start', { atMs: unixMs }),
  message('class-end', { atMs: unixMs, reason: reason.optional() }),
  /** Answers a message that was refused; the class is unchanged. */
  message('error', { code: z.string(), message: z.string(), field: z.string().optional() }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;
export type Snapshot = Extract<ServerMessage, { type: 'snapshot' }>;

/** What became of an incoming message. `unknown` is to be counted and ignored, `refused` to be answered. */
export type Parsed<T> =
  | { readonly kind: 'message'; readonly message: T }
  | { readonly kind: 'unknown'; readonly type: string }
  | {
      readonly kind: 'refused';
      readonly code: 'too-large' | 'malformed';
      readonly message: string;
      readonly field: string | undefined;
    };

/** Parses what a client sent. Never throws. */
export function parseClientMessage(text: string): Parsed<ClientMessage> {
  return parseMessage(text, clientMessageSchema, clientTypes);
}

/** Parses what the server sent. Never throws. */
export function parseServerMessage(text: string): Parsed<ServerMessage> {
  return parseMessage(text, serverMessageSchema, serverTypes);
}

const typesOf = (schema: {
  options: readonly { shape: { type: z.ZodLiteral } }[];
}): ReadonlySet<string> => new Set(schema.options.map((option) => String(option.shape.type.value)));
const clientTypes = typesOf(clientMessageSchema);
const serverTypes = typesOf(serverMessageSchema);

function parseMessage<T>(
  text: string,
  schema: z.ZodType<T>,
  types: ReadonlySet<string>,
): Parsed<T> {
  const bytes = new TextEncoder().encode(text).byteLength;
  if (bytes > MAX_SIGNALLING_BYTES) {
    const limit = `Message of ${bytes} bytes refused: expected at most ${MAX_SIGNALLING_BYTES} bytes.`;
    return { kind: 'refused', code: 'too-large', message: limit, field: undefined };
  }
  const value = parseJson(text);
  const type = (value as { type?: unknown } | null | undefined)?.type;
  if (typeof type !== 'string') {
    const expected = 'Message refused: expected a JSON object with a string in "type".';
    return { kind: 'refused', code: 'malformed', message: expected, field: 'type' };
  }
  if (!types.has(type)) return { kind: 'unknown', type: type.slice(0, 64) };
  const result = schema.safeParse(value);
  if (result.success) return { kind: 'message', message: result.data };
  const issue = result.error.issues[0];
  const field = issue?.path.join('.');
  const why = `Message "${type}" refused: ${field ?? 'message'}: ${issue?.message ?? 'invalid'}.`;
  return { kind: 'refused', code: 'malformed', message: why, field };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
