import { z } from 'zod';

/** What crosses the queue. A job names work; the truth about it is in the repositories. */
export const recordingJobSchema = z.object({ recordingId: z.string() });
export type RecordingJob = z.infer<typeof recordingJobSchema>;

export const highlightJobSchema = z.object({ highlightId: z.string() });
export type HighlightJob = z.infer<typeof highlightJobSchema>;

export const RECORDINGS_QUEUE = 'recordings';
export const HIGHLIGHTS_QUEUE = 'highlights';
