/**
 * Stretches of a recording in which something is wrong or missing: when they begin, how long they last, how many there
 * are. Thresholds are those of ffmpeg's blackdetect, freezedetect and silencedetect, so that anyone can check.
 */

/** Shorter stretches are not worth a line, ms. */
export const MIN_SPAN_MS = 2_000;
/** Spans listed of each kind: the latest. Count and total are of all. */
const MAX_LISTED = 50;

/**
 * `black`: a nearly black picture. `still`: the page is alive and nothing changes. `frozen`: the page's beacon is silent, or a
 * video that should play shows no new picture. `silent`: sound below −60 dBFS.
 */
export const SPAN_KINDS = ['black', 'still', 'frozen', 'silent'] as const;
export type SpanKind = (typeof SPAN_KINDS)[number];

/** Why a picture is frozen. */
export type FrozenCause = 'page' | 'source';

/** Start and end of a stretch of time, Unix ms. */
export type TimeRange = { readonly startMs: number; readonly endMs: number };

export type Span = {
  /** From the recording's origin. */
  readonly offsetMs: number;
  readonly durationMs: number;
  readonly cause?: FrozenCause | undefined;
};

export type SpanSummary = {
  readonly count: number;
  readonly totalMs: number;
  /** The last listed one goes on. */
  readonly isOpen: boolean;
  /** The latest, in order. */
  readonly spans: readonly Span[];
};

export const NO_SPANS: SpanSummary = { count: 0, totalMs: 0, isOpen: false, spans: [] };

export type SpanEvents = {
  readonly onBegun: (startMs: number) => void;
  readonly onEnded: (startMs: number, endMs: number) => void;
};

/**
 * Finds spans without a sign of life. One begins when the last sign is MIN_SPAN_MS old, with its true start, and ends with
 * the next sign. Times may be on any clock.
 */
export class SpanWatch {
  readonly #events: SpanEvents;
  #sinceMs: number | undefined;
  #isOpen = false;

  constructor(events: SpanEvents) {
    this.#events = events;
  }

  /** A sign of life: whatever span there is ends here, and another may begin. */
  sign(atMs: number): void {
    if (this.#sinceMs !== undefined && atMs <= this.#sinceMs) return;
    this.stop(atMs);
    this.#sinceMs = atMs;
  }

  /** Time goes on without a sign. */
  advance(nowMs: number): void {
    if (this.#sinceMs === undefined || this.#isOpen) return;
    if (nowMs - this.#sinceMs < MIN_SPAN_MS) return;
    this.#isOpen = true;
    this.#events.onBegun(this.#sinceMs);
  }

  /** Without a sign since this; kept when it is so already. */
  begin(atMs: number): void {
    this.#sinceMs ??= atMs;
  }

  /** Nothing is to be expected from here on, until the next sign or `begin`. */
  stop(atMs: number): void {
    this.advance(atMs);
    if (this.#isOpen && this.#sinceMs !== undefined) this.#events.onEnded(this.#sinceMs, atMs);
    this.#isOpen = false;
    this.#sinceMs = undefined;
  }
}

/** Spans of one kind: the latest are listed, all are counted. */
export class SpanList {
  #count = 0;
  #totalMs = 0;
  #latest: (TimeRange & { readonly cause?: FrozenCause })[] = [];

  add(range: TimeRange, cause?: FrozenCause): void {
    this.#count += 1;
    this.#totalMs += range.endMs - range.startMs;
    this.#latest.push(cause === undefined ? range : { ...range, cause });
    if (this.#latest.length > MAX_LISTED) this.#latest.shift();
  }

  get latest(): readonly TimeRange[] {
    return this.#latest;
  }

  /** The spans as offsets from `originMs`, with those that still go on at the end. */
  summary(
    originMs: number,
    open: readonly (TimeRange & { readonly cause?: FrozenCause })[],
  ): SpanSummary {
    const openMs = open.reduce((sum, range) => sum + range.endMs - range.startMs, 0);
    const listed = [...this.#latest, ...open].slice(-MAX_LISTED);
    return {
      count: this.#count + open.length,
      totalMs: Math.round(this.#totalMs + openMs),
      isOpen: open.length > 0,
      spans: listed.map(({ startMs, endMs, cause }) => ({
        offsetMs: Math.round(startMs - originMs),
        durationMs: Math.round(endMs - startMs),
        ...(cause === undefined ? {} : { cause }),
      })),
    };
  }
}

/** What remains of a range without the others, as far as it is worth a span. */
export function subtractRanges(range: TimeRange, cuts: readonly TimeRange[]): TimeRange[] {
  const pieces: TimeRange[] = [];
  let fromMs = range.startMs;
  for (const cut of cuts.toSorted((a, b) => a.startMs - b.startMs)) {
    if (cut.endMs <= fromMs || cut.startMs >= range.endMs) continue;
    pieces.push({ startMs: fromMs, endMs: cut.startMs });
    fromMs = cut.endMs;
  }
  pieces.push({ startMs: fromMs, endMs: range.endMs });
  return pieces.filter(({ startMs, endMs }) => endMs - startMs >= MIN_SPAN_MS);
}

/** Two workers' spans of one recording, in order. */
export function joinSpans(earlier: SpanSummary, later: SpanSummary): SpanSummary {
  return {
    count: earlier.count + later.count,
    totalMs: earlier.totalMs + later.totalMs,
    isOpen: later.isOpen,
    spans: [...earlier.spans, ...later.spans].slice(-MAX_LISTED),
  };
}
