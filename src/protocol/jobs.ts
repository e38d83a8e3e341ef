import { z } from 'zod';
import type { ChunkResult } from '../model/reencode.ts';

/** What crosses the queue. A job names work; the truth about it is in the repositories. */
export const recordingJobSchema = z.object({ recordingId: z.string() });
export type RecordingJob = z.infer<typeof recordingJobSchema>;

export const highlightJobSchema = z.object({ highlightId: z.string() });
export type HighlightJob = z.infer<typeof highlightJobSchema>;

export const RECORDINGS_QUEUE = 'recordings';
export const HIGHLIGHTS_QUEUE = 'highlights';

/** Of the nightly batch: what is done for a recording's re-encode into one profile. Its runs are in the recording's record. */
const runFields = {
  recordingId: z.string(),
  runId: z.string(),
  /** The recording's, so that every line a job logs has it. */
  traceId: z.string(),
};

const chunkSegmentSchema = z.object({
  n: z.number(),
  place: z.object({ object: z.string(), offset: z.number(), length: z.number() }),
  codecHash: z.string(),
});
const chunkSchema = z.object({
  index: z.number(),
  segments: z.array(chunkSegmentSchema),
  leadOut: z.array(chunkSegmentSchema).optional(),
});

export const batchJobSchema = z.discriminatedUnion('kind', [
  /** Looks for the quality, cuts into chunks, and asks for all that follows. */
  z.object({ kind: z.literal('plan'), ...runFields }),
  /** Encodes one chunk. */
  z.object({
    kind: z.literal('chunk'),
    ...runFields,
    chunk: chunkSchema,
    settings: z.object({ crf: z.number(), gopSegments: z.number().optional() }),
    /** Workers with which it failed, and when it did last, Unix ms. */
    failedBy: z.array(z.string()).default([]),
    failedAtMs: z.number().default(0),
  }),
  /** The parent of all chunks: joins, proves, swaps. */
  z.object({ kind: z.literal('finish'), ...runFields }),
]);
export type BatchJob = z.infer<typeof batchJobSchema>;
export type ChunkJob = Extract<BatchJob, { kind: 'chunk' }>;

/** What a chunk's job tells its parent. */
export const chunkResultSchema = z.object({
  index: z.number(),
  name: z.string(),
  media: z.string(),
  tables: z.string(),
  pictures: z.number(),
  bytes: z.number(),
  firstN: z.number(),
  segments: z.number(),
  encoder: z.string(),
  wasThere: z.boolean(),
  tookMs: z.number(),
}) satisfies z.ZodType<ChunkResult>;

export const BATCH_QUEUE = 'batch';
/** Of the scheduler's ticks: a queue of their own, so that none waits for a chunk. */
export const NIGHTS_QUEUE = 'batch-nights';
