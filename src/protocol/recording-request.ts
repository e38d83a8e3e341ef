import { z } from 'zod';
import { GRID_FPS, isGridFps } from '../model/grid.ts';
import { DEFAULT_AFTER_MS, DEFAULT_BEFORE_MS, DEFAULT_MAX_CLIP_MS } from '../model/highlight.ts';
import { RECORDING_MEDIA, type RecordingSettings } from '../model/recording.ts';
import { newClassroomSchema } from './classroom.ts';
import { momentFields } from './highlight-trigger.ts';

const DAY_MS = 24 * 3_600_000;
/** A century: more is meant to be for ever. */
const MAX_RETENTION_S = 36_525 * 86_400;

/** Even, because H.264's 4:2:0 chroma is half as wide and high. */
const dimension = (max: number): z.ZodDefault<z.ZodNumber> | z.ZodNumber =>
  z
    .number()
    .int()
    .min(64, 'expected at least 64 pixels')
    .max(max)
    .multipleOf(2, 'expected an even number of pixels');

/** Longest clip that can be asked for at all: its MP4 is written from one run of segments. */
const MAX_CLIP_MS = 3_600_000;

/** Whose moment it is, the event says. */
const { participants: _, ...ruleFields } = momentFields;

const highlightRuleSchema = z.strictObject({
  on: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'expected the type of an event, such as reward'),
  ...ruleFields,
});

/** What is kept as highlights. */
const highlightSettingsSchema = z
  .strictObject({
    maxClipMs: z.number().int().min(1000).max(MAX_CLIP_MS).default(DEFAULT_MAX_CLIP_MS),
    rules: z.array(highlightRuleSchema).max(20).default([]),
  })
  .superRefine(({ maxClipMs, rules }, context) => {
    for (const [
      i,
      { beforeMs = DEFAULT_BEFORE_MS, afterMs = DEFAULT_AFTER_MS },
    ] of rules.entries()) {
      const lengthMs = beforeMs + afterMs;
      if (lengthMs > 0 && lengthMs <= maxClipMs) continue;
      const message = `expected a window of 1 to ${maxClipMs} ms, got ${lengthMs} ms`;
      context.addIssue({ code: 'custom', path: ['rules', i, 'beforeMs'], message });
    }
  });

/** How picture and sound are made: every field has a default. */
export const recordingSettingsSchema = z.strictObject({
  media: z
    .enum(RECORDING_MEDIA, `expected one of ${RECORDING_MEDIA.join(', ')}`)
    .default('audio-video'),
  width: dimension(1920).default(1280),
  height: dimension(1920).default(720),
  fps: z
    .number()
    .refine(isGridFps, `expected one of ${GRID_FPS.join(', ')} frames per second`)
    .default(30),
  videoBitrate: z.number().int().min(100_000).max(20_000_000).default(3_000_000),
  audioBitrate: z.number().int().min(32_000).max(320_000).default(128_000),
  readiness: z.enum(['load', 'signal']).default('load'),
  readinessTimeoutMs: z.number().int().min(500).max(120_000).default(10_000),
  maxDurationMs: z.number().int().min(1600).max(DAY_MS).default(DAY_MS),
  redundancy: z.literal([1, 2], 'expected 1, or 2 for two workers at a time').default(1),
  highlights: highlightSettingsSchema.prefault({}),
}) satisfies z.ZodType<RecordingSettings, unknown>;

/** A page to record: http(s) only, since a browser on our machine opens it. */
export const pageUrlSchema = z
  .url({ protocol: /^https?$/, error: 'expected an http: or https: URL' })
  .max(8192);

const metadataSchema = z
  .record(z.string().max(200), z.unknown())
  .refine((value) => JSON.stringify(value).length <= 16_384, 'expected at most 16 KiB of JSON');

/** Body of POST /v1/recordings: exactly one of `url` and `classroom`. */
export const createRecordingSchema = z
  .strictObject({
    url: pageUrlSchema.optional(),
    classroom: newClassroomSchema.optional(),
    /** The platform's own id of the class. */
    externalId: z.string().min(1).max(200).optional(),
    /** Anything the platform wants back. */
    metadata: metadataSchema.default({}),
    /** How long it is kept after its end, in one of two units; null: for ever, whatever the service's own default is. */
    retentionS: z.number().int().min(1).max(MAX_RETENTION_S).nullable().optional(),
    retentionDays: z
      .number()
      .positive()
      .max(MAX_RETENTION_S / 86_400)
      .nullable()
      .optional(),
    settings: recordingSettingsSchema.prefault({}),
  })
  .refine((body) => (body.url === undefined) !== (body.classroom === undefined), {
    path: ['url'],
    error: 'expected exactly one of url and classroom',
  })
  .refine((body) => body.retentionS === undefined || body.retentionDays === undefined, {
    path: ['retentionS'],
    error: 'expected one of retentionS and retentionDays',
  });
export type CreateRecording = z.infer<typeof createRecordingSchema>;
