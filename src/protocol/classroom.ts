import { z } from 'zod';
import type { ClassroomSource } from '../model/recording.ts';

const webSocketUrl = z.url({ protocol: /^wss?$/, error: 'expected a ws: or wss: URL' }).max(8192);

/** One participant's stream, shown as a tile. */
export const streamSourceSchema = z.strictObject({
  participantId: z.string().min(1).max(200),
  name: z.string().max(200),
  role: z.enum(['teacher', 'tutor', 'student', 'screen']),
  kind: z.enum(['hls', 'file']),
  url: z.url({ protocol: /^https?$/, error: 'expected an http: or https: URL' }).max(8192),
});

/** A class given by its parts, shown by Chalkreel's own classroom page. */
export const classroomSourceSchema = z.strictObject({
  title: z.string().max(200).default(''),
  signallingUrl: webSocketUrl,
  whiteboardUrl: webSocketUrl.optional(),
  sources: z.array(streamSourceSchema).max(25).default([]),
}) satisfies z.ZodType<ClassroomSource, unknown>;
