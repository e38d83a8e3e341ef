import { z } from 'zod';
import {
  STREAM_KINDS,
  STREAM_ROLES,
  type ClassroomSource,
  type StreamSource,
} from '../model/recording.ts';
import { layoutChoiceFields } from './layout.ts';

const webSocketUrl = z.url({ protocol: /^wss?$/, error: 'expected a ws: or wss: URL' }).max(8192);

/** Streams of one class at most. */
export const MAX_SOURCES = 25;

/** `participantId` and `role` together name a stream: somebody may share a screen beside the camera. */
export const streamNameSchema = z.strictObject({
  participantId: z.string().min(1).max(200),
  role: z.enum(STREAM_ROLES, `expected one of ${STREAM_ROLES.join(', ')}`),
});

const common = {
  ...streamNameSchema.shape,
  name: z.string().max(200),
  // a file: or blob: URL would read what is on the worker's machine
  url: z.url({ protocol: /^https?$/, error: 'expected an http: or https: URL' }).max(8192),
};

const iceServerSchema = z
  .strictObject({
    urls: z
      .array(z.string().regex(/^(stun|stuns|turn|turns):/, 'expected a stun:, turn: or turns: URL'))
      .min(1)
      .max(8)
      .readonly(),
    username: z.string().max(512).optional(),
    credential: z.string().max(512).optional(),
  })
  .refine(
    ({ urls, username, credential }) =>
      urls.every((url) => url.startsWith('stun')) ||
      (username !== undefined && credential !== undefined),
    'expected username and credential with a turn: URL',
  );

/** RFC 6750 §2.1: the characters a bearer token may have. */
const tokenSchema = z
  .string()
  .max(4096)
  .regex(/^[\w~+/.-]+=*$/, 'expected a bearer token: letters, digits and -._~+/');

/** One participant's stream, shown as a tile. */
export const streamSourceSchema = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ ...common, kind: z.enum(['hls', 'file']) }),
    z.strictObject({
      ...common,
      kind: z.literal('whep'),
      token: tokenSchema.optional(),
      iceServers: z.array(iceServerSchema).max(8).readonly().optional(),
    }),
  ],
  { error: `expected kind to be one of ${STREAM_KINDS.join(', ')}` },
) satisfies z.ZodType<StreamSource, unknown>;

const sourcesSchema = z
  .array(streamSourceSchema)
  .max(MAX_SOURCES, `expected at most ${MAX_SOURCES} streams`)
  .refine(
    (sources) => new Set(sources.map(streamName)).size === sources.length,
    'expected each participant and role once',
  );

/** A class given by its parts, shown by Chalkreel's own classroom page. */
export const classroomSourceSchema = z.strictObject({
  title: z.string().max(200).default(''),
  signallingUrl: webSocketUrl,
  recorderName: z.string().min(1).max(100).optional(),
  whiteboardUrl: webSocketUrl.optional(),
  sources: sourcesSchema.default([]),
  ...layoutChoiceFields,
}) satisfies z.ZodType<ClassroomSource, unknown>;

/** A stream as a platform names it: a token whose time is over is refused. One that expires later is the page's to report. */
const newSourceSchema = streamSourceSchema.refine(
  (source) => source.kind !== 'whep' || !hasExpired(source.token ?? ''),
  { path: ['token'], error: 'expected a token that has not expired' },
);

/** A class as a platform names it. */
export const newClassroomSchema = classroomSourceSchema.extend({
  sources: sourcesSchema.pipe(z.array(newSourceSchema)).default([]),
});

/** Streams to add or to put in another's place, and streams to take away, as signalling tells them. */
export const sourceChangesSchema = z.strictObject({
  set: z.array(streamSourceSchema).max(MAX_SOURCES).default([]),
  remove: z.array(streamNameSchema).max(MAX_SOURCES).default([]),
});

/** Body of PATCH /v1/recordings/:id/sources: the same, of a platform, which is told of a token that has expired. */
export const changeSourcesSchema = sourceChangesSchema.extend({
  set: z.array(newSourceSchema).max(MAX_SOURCES).default([]),
});
export type SourceChanges = {
  readonly set: readonly StreamSource[];
  readonly remove: readonly StreamName[];
};
type StreamName = Pick<StreamSource, 'participantId' | 'role'>;

/** Names a stream within its class. */
export function streamName({ participantId, role }: StreamName): string {
  return `${role} ${participantId}`;
}

/** The streams after a change, places kept; what was added comes last. Throws a ZodError when they would be too many. */
export function applySourceChanges(
  sources: readonly StreamSource[],
  { set, remove }: SourceChanges,
): readonly StreamSource[] {
  const gone = new Set(remove.map(streamName));
  const next = new Map(sources.map((source) => [streamName(source), source]));
  for (const name of gone) next.delete(name);
  for (const source of set) next.set(streamName(source), source);
  return sourcesSchema.parse([...next.values()]);
}

/** Whether a JSON Web Token says that its time is over (RFC 7519 §4.1.4); other tokens do not say. */
function hasExpired(token: string): boolean {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return false;
  try {
    const json = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    const { exp } = JSON.parse(json) as { exp?: unknown };
    return typeof exp === 'number' && exp * 1000 < Date.now();
  } catch {
    return false;
  }
}
