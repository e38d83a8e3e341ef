import type { Clock } from '../src/clock.ts';
import type { Closable } from '../src/lifecycle.ts';
import { segmentStartMs } from '../src/model/grid.ts';
import type { ClipWindow, Highlight } from '../src/model/highlight.ts';
import { isFinal, type Recording } from '../src/model/recording.ts';
import type { SegmentEntry } from '../src/model/segment.ts';
import type { HighlightRepository } from '../src/storage/records/highlight-repository.ts';
import type { RecordingRepository } from '../src/storage/records/recording-repository.ts';
import { OVERDUE_MS, type SegmentIndex } from '../src/storage/index/segment-index.ts';
import { askedWindow, firstSegmentOf, lastSegmentOf, type MediaSpan } from './window.ts';

/** What is recorded of a highlight's window at a moment. */
export type RecordedMedia = {
  /** The record as it is then: its window may have grown. */
  readonly highlight: Highlight;
  /** In order of number: what a clip of the window is cut from, the last one before the window included. */
  readonly entries: readonly SegmentEntry[];
  /** Where the recording's media lies; undefined while there is none. */
  readonly span: MediaSpan | undefined;
  /** The recording's origin, Unix ms; 0 while it has none, and then there are no entries. */
  readonly originMs: number;
  /** Slots a second. */
  readonly fps: number;
  /** Up to this number it is decided which segments there are, but for what comes late. */
  readonly decided: number;
  /** The window's end is there, or will not come. */
  readonly isClosed: boolean;
  readonly warnings: readonly string[];
};

export type MediaServices = {
  readonly highlights: HighlightRepository;
  readonly recordings: RecordingRepository;
  readonly segments: SegmentIndex;
  readonly clock: Clock;
};

/**
 * How long one try waits for the end of a window that is over. An upload backlog is delay, not a hole; but a recording whose workers are gone for
 * good must not keep its clips for ever.
 */
const PATIENCE_MS = 120_000;
/** How far back the segment before a window is looked for at first: holes are short. */
const LOOK_BACK_SEGMENTS = 64;

/**
 * Tells what there is of a highlight's window, again whenever segments have come, and last when the window is closed: the segment with its end
 * is indexed, or the recording is over, or it was waited for two minutes, which is then said in `warnings`. Throws `recording-not-found`,
 * `highlight-not-found`; the signal's reason when aborted.
 */
export async function* followMedia(
  { id, recordingId }: Highlight,
  services: MediaServices,
  signal: AbortSignal,
): AsyncGenerator<RecordedMedia, void> {
  const news = new News();
  signal.addEventListener('abort', news.come, { once: true });
  let subscription: Closable | undefined;
  const startedAtMs = services.clock.nowMs();
  try {
    for (;;) {
      signal.throwIfAborted();
      const media = await readMedia({ id, recordingId, startedAtMs }, services);
      yield media;
      if (media.isClosed) return;
      // Most windows are closed when they are first looked at. After subscribing all is read once more.
      if (subscription !== undefined) await news.wait();
      subscription ??= await services.segments.subscribe(recordingId, news.come);
    }
  } finally {
    signal.removeEventListener('abort', news.come);
    await subscription?.close();
  }
}

/** Remembers that something has come until somebody waits for it. */
class News {
  #hasCome = false;
  #wake: (() => void) | undefined;

  readonly come = (): void => {
    this.#hasCome = true;
    this.#wake?.();
  };

  /** Resolves at once when there are news already. */
  async wait(): Promise<void> {
    if (!this.#hasCome) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#hasCome = false;
    this.#wake = undefined;
  }
}

async function readMedia(
  { id, recordingId, startedAtMs }: { id: string; recordingId: string; startedAtMs: number },
  services: MediaServices,
): Promise<RecordedMedia> {
  // In this order: what a recording that is over has indexed, is read after that.
  const [highlight, recording] = await Promise.all([
    services.highlights.get(id),
    services.recordings.get(recordingId),
  ]);
  const { originMs } = recording;
  const { fps } = recording.settings;
  const isOver = isFinal(recording.state);
  if (originMs === null) {
    const nothing = { entries: [], span: undefined, originMs: 0, decided: -1, warnings: [] };
    return { ...nothing, highlight, fps, isClosed: isOver };
  }
  const window = highlight.state === 'open' ? askedWindow(highlight) : highlight.window;
  const { entries, decided, end } = await readEntries(window, recording, services.segments);
  const [first] = entries;
  const last = lastSegmentOf(window, originMs);
  const now = services.clock.nowMs();
  // What waits for its turn closes the window too, once what it waits for is overdue.
  const isOverdue = end > last && now > segmentStartMs(last + 1, originMs) + OVERDUE_MS;
  const isClosed = isOver || decided >= last || isOverdue;
  const isGivenUp = !isClosed && now > Math.max(startedAtMs, window.endMs) + PATIENCE_MS;
  return {
    highlight,
    entries,
    span: first && {
      startMs: Math.max(
        segmentStartMs(first.n, originMs),
        originMs + Math.ceil(recording.leadInMs ?? 0),
      ),
      endMs: segmentStartMs(end, originMs),
    },
    originMs,
    fps,
    decided: Math.max(decided, isOverdue ? last : -1),
    isClosed: isClosed || isGivenUp,
    warnings: isGivenUp
      ? [`The end of the window did not arrive within ${PATIENCE_MS / 1000} s.`]
      : [],
  };
}

/** The window's entries, also those that came late, and the last one before it; `end` is the number behind the recording's last. */
async function readEntries(
  window: ClipWindow,
  { id, originMs }: Recording,
  index: SegmentIndex,
): Promise<{ entries: readonly SegmentEntry[]; decided: number; end: number }> {
  const first = Math.max(0, firstSegmentOf(window, originMs ?? 0));
  const last = lastSegmentOf(window, originMs ?? 0);
  // Those aside first: one that is let in order meanwhile is found twice, not missed.
  const aside = await index.readAside(id);
  const [inOrder, newest] = await Promise.all([
    index.readNumbers(id, first, last),
    index.findLast(id),
  ]);
  const before = await findBefore(first, { id, index, aside });
  const all = [...aside.filter(({ n }) => n >= first && n <= last), ...inOrder.entries];
  const within = [...new Map(all.map((entry) => [entry.n, entry])).values()];
  within.sort((a, b) => a.n - b.n);
  return {
    entries: before === undefined ? within : [before, ...within],
    decided: inOrder.decided,
    end: (newest?.n ?? -1) + 1,
  };
}

async function findBefore(
  first: number,
  { id, index, aside }: { id: string; index: SegmentIndex; aside: readonly SegmentEntry[] },
): Promise<SegmentEntry | undefined> {
  const late = aside.findLast(({ n }) => n < first);
  for (const from of [first - LOOK_BACK_SEGMENTS, 0]) {
    const { entries } = await index.readNumbers(id, Math.max(0, from), first - 1);
    const found = entries.at(-1);
    if (found !== undefined) return late !== undefined && late.n > found.n ? late : found;
    if (from <= 0) break;
  }
  return late;
}
