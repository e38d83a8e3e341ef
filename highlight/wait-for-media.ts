import type { Clock } from '../src/clock.ts';
import { delay } from '../src/lifecycle.ts';
import type { Highlight } from '../src/model/highlight.ts';
import { isFinal } from '../src/model/recording.ts';
import type { SegmentEntry } from '../src/model/segment.ts';
import type { RecordingRepository } from '../src/storage/recording-repository.ts';
import type { SegmentIndex } from '../src/storage/segment-index.ts';
import { lastSegmentOf } from './window.ts';

/** What is recorded, when a window is closed. */
export type RecordedMedia = {
  readonly entries: readonly SegmentEntry[];
  /** The recording's origin, Unix ms; 0 while it has none, and then there are no entries. */
  readonly originMs: number;
  readonly leadInMs: number;
  readonly warnings: readonly string[];
};

/** How often the index is asked: well under the 1.6 s between segments, so that a clip comes soon after its last one. */
const POLL_MS = 200;
/**
 * How long one try waits for the end of a window that is over. An upload backlog is delay, not a hole; but a recording whose workers are gone for
 * good must not keep its clips for ever.
 */
const PATIENCE_MS = 120_000;

/**
 * Resolves when the segment with the window's end is indexed, or the recording is over, or after two minutes more, which is then said in
 * `warnings`. Throws `recording-not-found`; the signal's reason when aborted.
 */
export async function waitForMedia(
  { recordingId, window }: Highlight,
  services: {
    readonly recordings: RecordingRepository;
    readonly segments: SegmentIndex;
    readonly clock: Clock;
  },
  signal: AbortSignal,
): Promise<RecordedMedia> {
  const entries: SegmentEntry[] = [];
  const deadlineMs = Math.max(services.clock.nowMs(), window.endMs) + PATIENCE_MS;
  for (;;) {
    signal.throwIfAborted();
    // In this order: what a recording that is over has indexed, is read after that.
    const recording = await services.recordings.get(recordingId);
    entries.push(...(await services.segments.read(recordingId, entries.length)));
    const { originMs, leadInMs } = recording;
    // A clip is cut from all the media there is, also what came late.
    const find = async (warnings: readonly string[] = []): Promise<RecordedMedia> => ({
      entries: await services.segments.readAll(recordingId),
      originMs: originMs ?? 0,
      leadInMs: leadInMs ?? 0,
      warnings,
    });
    const aside = await services.segments.readAside(recordingId);
    const last = Math.max(...[entries.at(-1), aside.at(-1)].map((entry) => entry?.n ?? -1));
    // Entries come in order of n: a later one closes the window too.
    const isClosed = originMs !== null && last >= lastSegmentOf(window, originMs);
    if (isClosed || isFinal(recording.state)) return find();
    if (services.clock.nowMs() > deadlineMs) {
      const warning = `The end of the window did not arrive within ${PATIENCE_MS / 1000} s.`;
      return find([warning]);
    }
    await delay(POLL_MS, signal);
  }
}
