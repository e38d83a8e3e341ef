import { z } from 'zod';
import { GRID_FPS, isGridFps } from '../model/grid.ts';
import { RECORDING_MEDIA, type RecordingSettings } from '../model/recording.ts';
import { classroomSourceSchema } from './classroom.ts';

const DAY_MS = 24 * 3_600_000;

/** Even, because H.264's 4:2:0 chroma is half as wide and high. */
const dimension = (max: number): z.ZodDefault<z.ZodNumber> | z.ZodNumber =>
  z
    .number()
    .int()
    .min(64, 'expected at least 64 pixels')
    .max(max)
    .multipleOf(2, 'expected an even number of pixels');

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
    classroom: classroomSourceSchema.optional(),
    /** The platform's own id of the class. */
    externalId: z.string().min(1).max(200).optional(),
    /** Anything the platform wants back. */
    metadata: metadataSchema.default({}),
    settings: recordingSettingsSchema.prefault({}),
  })
  .refine((body) => (body.url === undefined) !== (body.classroom === undefined), {
    path: ['url'],
    error: 'expected exactly one of url and classroom',
  });
export type CreateRecording = z.infer<typeof createRecordingSchema>;
