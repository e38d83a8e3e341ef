import type { Log } from '../../log.ts';
import type { Recording } from '../../model/recording.ts';
import type { ReencodeRun } from '../../model/reencode-run.ts';
import type { BatchJob } from '../../protocol/jobs.ts';
import type { BatchJobContext } from '../../queue/consume-batch.ts';

/** A job, and all that is known about what it is for. */
export type JobAtWork<J extends BatchJob = BatchJob> = {
  readonly job: J;
  readonly recording: Recording;
  readonly run: ReencodeRun;
  readonly context: BatchJobContext;
  /** Aborts when the job is lost, its run is over, or its time is. */
  readonly signal: AbortSignal;
  /** Says recording, trace, run and profile in every line. */
  readonly log: Log;
};
