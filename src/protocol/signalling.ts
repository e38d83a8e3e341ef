import { z } from 'zod';
import { sourceChangesSchema } from './classroom.ts';
import { momentFields } from './highlight-trigger.ts';
import { layoutSchema } from './layout.ts';

/**
 * The class's signalling: JSON objects in WebSocket text messages, each with a `type`. A client speaks
 * `ClientMessage`, the server `ServerMessage`. Messages of an unknown type are ignored and counted (newer
 * peers may say more); malformed and oversized ones are refused with an `error` message. Unknown fields of
 * known types are dropped. Times are Unix ms of the server's clock. docs/signalling.md says it for platforms.
 *
 * A client joins with a role. `recorder` is invisible unless it asks to be seen, and may only say whether it records; `teacher` and
 * `tutor` may change layout and spotlight, give rewards, start and end the class, and save moments.
 */

/** Longest message a server takes from a client, bytes of UTF-8. */
export const MAX_SIGNALLING_BYTES = 65_536;
/** Longest message a client takes from a server. A big class's snapshot comes in parts, each far shorter. */
export const MAX_SERVER_MESSAGE_BYTES = 524_288;
/** Participants a class may have at once. */
export const MAX_ROSTER = 5_000;
/** Participants, and raised hands, in one message. */
export const MAX_ROSTER_PART = 1_000;
/** Messages in a `batch`. */
export const MAX_BATCH = 1_000;
/** Chat messages, highlights and rewards a snapshot carries at most. */
export const SNAPSHOT_CHAT_TAIL = 50;
export const SNAPSHOT_HIGHLIGHTS = 20;
export const SNAPSHOT_REWARDS = 20;

const id = z.string().min(1).max(128);
const name = z.string().min(1).max(100);
const unixMs = z.number().int().nonnegative();
const reason = z.string().max(200);

export const participantRoleSchema = z.enum(['teacher', 'tutor', 'student', 'recorder']);

const participant = z.object({
  participantId: id,
  name,
  role: participantRoleSchema,
  muted: z.boolean(),
  /** Absent from servers that do not keep it. */
  joinedAtMs: unixMs.optional(),
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

export const recordingStateSchema = z.enum(['started', 'stopped']);
export type ClassRecordingState = z.infer<typeof recordingStateSchema>;

/** What a server may say of an event besides what it is: an id that is the same for everybody, so that it is one for all who hear it. */
const eventFields = { eventId: id.optional(), atMs: unixMs.optional() };

/** What a snapshot lists; in a big class the rest of it follows in `snapshot-part`s. */
const listFields = {
  roster: z.array(participant).max(MAX_ROSTER_PART),
  chat: z.array(chatLine).max(SNAPSHOT_CHAT_TAIL),
  /** Participants whose hand is up. */
  hands: z.array(id).max(MAX_ROSTER_PART),
  highlights: z.array(savedMoment).max(SNAPSHOT_HIGHLIGHTS),
  rewards: z.array(reward).max(SNAPSHOT_REWARDS),
};

const message = <T extends string, S extends z.ZodRawShape>(
  type: T,
  shape: S,
): z.ZodObject<{ type: z.ZodLiteral<T> } & S> => z.object({ type: z.literal(type), ...shape });

export const clientMessageSchema = z.discriminatedUnion('type', [
  /** First message of a connection. Without a `participantId` the server makes one. */
  message('join', {
    name,
    role: participantRoleSchema,
    participantId: id.optional(),
    /** For a recorder that wants to be seen in the roster; all others always are. */
    visible: z.boolean().optional(),
  }),
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
  /** From a recorder: it records the class now, or no longer. */
  message('recording', { state: recordingStateSchema }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;

export const serverMessageSchema = z.discriminatedUnion('type', [
  /** The whole state of the class, answering a join. */
  message('snapshot', {
    participantId: id,
    title: z.string().max(200),
    ...listFields,
    layout: layoutSchema,
    spotlight: id.nullable(),
    /** Like the spotlight's change, for listeners who were away: absent from servers that do not keep them. */
    rewards: listFields.rewards.optional(),
    spotlightChange: spotlightChange.nullable().optional(),
    /** Streams that came, changed and went so far: absent from servers that do not tell of streams. */
    sources: sourceChangesSchema.optional(),
    startedAtMs: unixMs.nullable(),
    endedAtMs: unixMs.nullable(),
    /** Whether the class is being recorded, and since when: absent from servers that do not tell. */
    recording: z.object({ state: recordingStateSchema, atMs: unixMs }).nullable().optional(),
    /** So many `snapshot-part`s follow, with more of roster, chat, hands, highlights and rewards; none when absent. */
    parts: z.number().int().min(0).max(1000).optional(),
    /** The server says something at least this often, ms; absent from servers that do not promise it. */
    heartbeatMs: z.number().int().min(1000).max(600_000).optional(),
    /** The server's clock when it answered, so that ages need no common clock. */
    nowMs: unixMs,
  }),
  /** More of the snapshot before it. */
  message('snapshot-part', {
    roster: listFields.roster.optional(),
    chat: listFields.chat.optional(),
    hands: listFields.hands.optional(),
    highlights: listFields.highlights.optional(),
    rewards: listFields.rewards.optional(),
  }),
  message('join', { participant, eventId: eventFields.eventId }),
  message('leave', { participantId: id, ...eventFields }),
  message('mute', { participantId: id, muted: z.boolean(), ...eventFields }),
  message('chat', { line: chatLine }),
  message('raise-hand', { participantId: id, raised: z.boolean(), ...eventFields }),
  message('layout', { layout: layoutSchema, ...eventFields }),
  /** `change` when somebody is put there; with `participantId` null nobody is there any more. */
  message('spotlight', {
    participantId: id.nullable(),
    change: spotlightChange.optional(),
    ...eventFields,
  }),
  message('highlight', { moment: savedMoment }),
  message('reward', { reward }),
  /** Streams of the class are added or changed (`set`), and taken away (`remove`). */
  message('sources', sourceChangesSchema.shape),
  message('class-start', { atMs: unixMs, eventId: eventFields.eventId }),
  message('class-end', {
    atMs: unixMs,
    reason: reason.optional(),
    eventId: eventFields.eventId,
  }),
  /** This class is being recorded, or no longer, by anybody. */
  message('recording', { state: recordingStateSchema, ...eventFields }),
  /** Nothing has happened for a while, and the connection is good. */
  message('heartbeat', { nowMs: unixMs }),
  /** Answers a message that was refused; the class is unchanged. */
  message('error', { code: z.string(), message: z.string(), field: z.string().optional() }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;
export type Snapshot = Extract<ServerMessage, { type: 'snapshot' }>;
export type SnapshotPart = Extract<ServerMessage, { type: 'snapshot-part' }>;

/** Several messages of a server in one, in their order: what happens in a busy class is sent some times a second. Not in one another. */
export const batchSchema = message('batch', {
  messages: z.array(z.unknown()).max(MAX_BATCH),
});

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
  return tooLarge(text, MAX_SIGNALLING_BYTES) ?? clientParser(parseJson(text));
}

/** Parses what the server sent: one message, or those of a batch. Never throws. */
export function parseServerMessages(text: string): readonly Parsed<ServerMessage>[] {
  const refused = tooLarge(text, MAX_SERVER_MESSAGE_BYTES);
  if (refused !== undefined) return [refused];
  const value = parseJson(text);
  if ((value as { type?: unknown } | null | undefined)?.type !== 'batch') {
    return [serverParser(value)];
  }
  const batch = batchParser(value);
  return batch.kind === 'message'
    ? batch.message.messages.map((message) => serverParser(message))
    : [batch];
}

const typesOf = (schema: {
  options: readonly { shape: { type: z.ZodLiteral } }[];
}): ReadonlySet<string> => new Set(schema.options.map((option) => String(option.shape.type.value)));
const clientTypes = typesOf(clientMessageSchema);
const serverTypes = typesOf(serverMessageSchema);

const clientParser = parserOf(clientMessageSchema, clientTypes);
const serverParser = parserOf(serverMessageSchema, serverTypes);
const batchParser = parserOf(batchSchema, new Set(['batch']));

function tooLarge(text: string, maxBytes: number): Parsed<never> | undefined {
  // UTF-8 has at least as many bytes as UTF-16 has units: what is far too long is not counted
  const bytes = text.length > maxBytes ? text.length : new TextEncoder().encode(text).byteLength;
  if (bytes <= maxBytes) return undefined;
  const limit = `Message of ${bytes} bytes refused: expected at most ${maxBytes} bytes.`;
  return { kind: 'refused', code: 'too-large', message: limit, field: undefined };
}

function parserOf<T>(
  schema: z.ZodType<T>,
  types: ReadonlySet<string>,
): (value: unknown) => Parsed<T> {
  return (value) => parseMessage(value, schema, types);
}

function parseMessage<T>(
  value: unknown,
  schema: z.ZodType<T>,
  types: ReadonlySet<string>,
): Parsed<T> {
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
