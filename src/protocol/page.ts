import { z } from 'zod';
import { STREAM_KINDS } from '../model/recording.ts';
import { SOURCE_ERRORS, SOURCE_STATES, type SourceReport } from '../model/source-report.ts';
import { streamNameSchema } from './classroom.ts';
import type { HighlightTrigger } from './highlight-trigger.ts';

/**
 * The handshake between a recorded page and the recorder. The recorder puts `window.chalkreel` (this API)
 * into the page before its scripts run; a page that is merely opened in a browser has none. Every call
 * returns at once and never throws into the page. Treat what comes through it as hostile: whoever
 * implements the other side parses each argument.
 */
export type ChalkreelPageApi = {
  /** The page shows what is to be recorded. Later calls mean nothing. */
  ready(): void;
  /** The class is over: the recording stops at the next boundary. */
  end(reason?: string): void;
  /** Someone wants this moment kept: now, if nothing is said. The same `triggerId` may be given again: it stays one highlight. */
  highlight(trigger?: PageHighlight): void;
  /** What is worth a line in the recording's log, up to 200 at once; with an `eventId` and a `participantId`, rules may make a highlight of it. */
  event(event: PageEvent, ...more: readonly PageEvent[]): void;
  /** The page is alive: called about once a second. */
  beacon(stats: PageBeacon): void;
};

/** Times are Unix ms on this machine's clock. Without a `triggerId`, the same asked for twice within 2 s is one. */
export type PageHighlight = HighlightTrigger;

export type PageEvent = {
  readonly type: string;
  /** Unix ms. */
  readonly atMs: number;
  readonly [field: string]: unknown;
};

export type PageBeacon = {
  /** Unix ms. */
  readonly atMs: number;
  readonly signalling: 'connecting' | 'open' | 'reconnecting';
  /** The built-in classroom's streams, those that were taken away included. */
  readonly sources: readonly SourceReport[];
};

/** Longest `detail` of a source. */
export const MAX_DETAIL_CHARACTERS = 300;

/** What a beacon says of one source, as a worker takes it. */
const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
export const sourceReportSchema = z.object({
  ...streamNameSchema.shape,
  kind: z.enum(STREAM_KINDS),
  state: z.enum(SOURCE_STATES),
  error: z.enum(SOURCE_ERRORS).nullable(),
  detail: z.string().max(MAX_DETAIL_CHARACTERS).nullable(),
  freezes: count,
  frozenMs: count,
  reconnects: count,
  failures: count,
  shownMs: count,
  decodedFrames: count,
  droppedFrames: count,
  packetsLost: count,
  concealedMs: count,
}) satisfies z.ZodType<SourceReport, unknown>;
