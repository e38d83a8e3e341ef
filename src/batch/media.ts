import type { Log } from '../log.ts';
import type { Recording } from '../model/recording.ts';
import type { Chunk, ChunkResult, ChunkSettings, ReencodeManifest } from '../model/reencode.ts';
import type { ReencodeRun } from '../model/reencode-run.ts';

/** What is done for one run. */
export type BatchTask = { readonly recording: Recording; readonly run: ReencodeRun };

export type MediaContext = {
  /** Ends what was begun, at once; the promise rejects with its reason. */
  readonly signal: AbortSignal;
  readonly log: Log;
};

/** A chunk, and what it is encoded with. */
export type PlannedChunk = { readonly chunk: Chunk; readonly settings: ChunkSettings };

/** CONTRACT. What the batch does to media: each may be repeated, after it was cut short anywhere, and comes to the same. */
export type BatchMedia = {
  /** Finds the settings and cuts into chunks, the same for the same recording and profile. None for sound alone. */
  plan(task: BatchTask, context: MediaContext): Promise<readonly PlannedChunk[]>;
  encodeChunk(
    task: BatchTask,
    planned: PlannedChunk,
    context: MediaContext & { readonly onProgress: (share: number) => void },
  ): Promise<ChunkResult>;
  /** Joins, proves, and puts the manifest in one step. `mayReplace` is asked right before that: false ends it with nothing replaced. */
  finish(
    task: BatchTask,
    results: readonly ChunkResult[],
    context: MediaContext & {
      readonly onState: (state: 'joining' | 'proving') => Promise<void>;
      readonly mayReplace: () => Promise<boolean>;
    },
  ): Promise<ReencodeManifest>;
};
