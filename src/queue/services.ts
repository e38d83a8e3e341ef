import type { Closable } from '../lifecycle.ts';
import type { HighlightOrigin, Highlight } from '../model/highlight.ts';
import type { HighlightTrigger } from '../protocol/highlight-trigger.ts';
import type { Log } from '../log.ts';

/** CONTRACT. The producer side of the queue. */
export type WorkQueue = Closable & {
  /** Asks some worker to record; asking twice for one recording is one job. */
  enqueueRecording(recordingId: string): Promise<void>;
  /** Asks for a clip's own media, from some seconds before its window's end on: it is prepared while its last segments come. */
  enqueueHighlight(highlightId: string, options: { windowEndMs: number }): Promise<void>;
  /** Puts a clip off whose window has grown, if it has not been begun. */
  postponeHighlight(highlightId: string, options: { windowEndMs: number }): Promise<void>;
  /** Those of the clips that nobody has been asked for, or whose job was given up; they may be asked for again. */
  findLostHighlights(highlightIds: readonly string[]): Promise<readonly string[]>;
};

/** CONTRACT. A consumer: `handle` runs for up to `concurrency` jobs at once; `signal` aborts on close. */
export type ConsumeOptions<Job> = {
  readonly concurrency: number;
  readonly log: Log;
  readonly handle: (job: Job, signal: AbortSignal) => Promise<void>;
};

/**
 * CONTRACT. Turns a trigger into a stored highlight and asks for its clip; used by the api and by recorder workers. The same trigger
 * again, a double press, and one merged into another give the highlight that is there (`created` false).
 */
export type RequestHighlight = (
  recordingId: string,
  trigger: HighlightTrigger,
  origin: HighlightOrigin,
  options?: {
    /** Told what is about to be stored, so that more can be done meanwhile; it may yet come to nothing. */
    readonly onPlanned?: ((planned: Highlight) => void) | undefined;
  },
) => Promise<{ readonly highlight: Highlight; readonly created: boolean }>;
