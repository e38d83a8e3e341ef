import { ChalkreelError } from '../src/errors.ts';
import {
  AAC_FRAME_SAMPLES,
  AAC_FRAMES_PER_SEGMENT,
  SAMPLES_PER_MS,
  SEGMENT_MS,
  SEGMENT_TICKS,
} from '../src/model/grid.ts';

const TICKS_PER_MS = 90;

/** The span to cut, whole ms from the recording's origin: start inclusive, end exclusive. */
export type CutWindow = { readonly startMs: number; readonly endMs: number };

/** What a segment holds, as far as a cut needs to know. */
export type CutSegment = {
  /** Number on the recording's grid. */
  readonly n: number;
  /** In order; `offset90k` is ticks from the segment's start. */
  readonly pictures: readonly { readonly offset90k: number; readonly isKey: boolean }[];
  /** AAC frames it holds, contiguous from its start: 75 when it is whole. */
  readonly audioFrames: number;
};

/** A picture, by its segment's number and its index there. */
export type PictureRef = { readonly n: number; readonly index: number };

/** A picture of the clip: from `at90k` it is shown for `duration90k`, both ticks from the clip's start. */
export type ClipPicture = PictureRef & {
  readonly at90k: number;
  readonly duration90k: number;
  readonly isKey: boolean;
};

/** An AAC frame by its segment's number and its index there, or a silent one where there is none. */
export type ClipAudioFrame = PictureRef | 'silence';

export type CutPlan = {
  /** Exact: 90 a millisecond. */
  readonly durationTicks: number;
  /**
   * Pictures that depend on ones before the clip, to be encoded anew; null where the clip starts on a key picture.
   * `decode` runs from that GOP's key picture to the last of `pictures`; the first `skip` of it are not shown.
   */
  readonly head: {
    readonly decode: readonly PictureRef[];
    readonly skip: number;
    readonly pictures: readonly ClipPicture[];
  } | null;
  /** Pictures copied as they are, from a key picture on; may be empty. Without head and body the clip is sound alone. */
  readonly body: readonly ClipPicture[];
  readonly audio: {
    /** From at least one frame before the window, because a frame's sound needs the one before it. */
    readonly frames: readonly ClipAudioFrame[];
    /** Samples decoded before the window starts: the edit entry's media time, 1024 to 2047. */
    readonly skipSamples: number;
  };
  /** Spans of the window without a segment, ms from the recording's origin. */
  readonly holes: readonly CutWindow[];
  /** Pictures to decode for the poster; the last is the one. Empty when there is only sound. */
  readonly poster: readonly PictureRef[];
};

export type PlanCutOptions = {
  readonly window: CutWindow;
  /** In order of `n`. Where the window starts in a hole, the segment before the hole belongs to them: its last picture is held. */
  readonly segments: readonly CutSegment[];
  /** Moment of the poster, ms from the recording's origin; moved into the window. Default: the window's start. */
  readonly posterAtMs?: number | undefined;
};

/**
 * Decides what a clip is made of, exact to the tick: the first picture is the one on show at the window's start, every later
 * picture of the window follows in its slot, and durations add up to the window. Throws `clip-window-invalid` and `clip-without-picture`.
 */
export function planCut(options: PlanCutOptions): CutPlan {
  const { window, segments } = options;
  checkWindow(window);
  return {
    durationTicks: (window.endMs - window.startMs) * TICKS_PER_MS,
    ...(isSoundOnly(segments) ? { head: null, body: [], poster: [] } : planVideo(options)),
    audio: planAudio(segments, window),
    holes: findHoles(segments, window),
  };
}

/** Of a recording with pictures every segment has one. */
function isSoundOnly(segments: readonly CutSegment[]): boolean {
  return segments.length > 0 && segments.every(({ pictures }) => pictures.length === 0);
}

function planVideo(options: PlanCutOptions): Pick<CutPlan, 'head' | 'body' | 'poster'> {
  const { window, segments } = options;
  const pictures = timeline(segments);
  const shown = planPictures(pictures, window);
  const posterAtMs = Math.min(
    Math.max(options.posterAtMs ?? window.startMs, window.startMs),
    window.endMs - 1,
  );
  return {
    ...splitAtKey(pictures, shown),
    poster: gopUpTo(pictures, findHeld(pictures, posterAtMs * TICKS_PER_MS)),
  };
}

type Placed = PictureRef & { readonly ticks: number; readonly isKey: boolean };
type Shown = { readonly first: number; readonly pictures: readonly ClipPicture[] };

function checkWindow({ startMs, endMs }: CutWindow): void {
  if (Number.isInteger(startMs) && Number.isInteger(endMs) && endMs > startMs) return;
  throw new ChalkreelError(
    'clip-window-invalid',
    `Expected a window of whole milliseconds that ends after it starts, got ${startMs} to ${endMs} ms.`,
    { fault: 'input', details: { field: 'window' } },
  );
}

/** All pictures in order, in ticks from the recording's origin. */
function timeline(segments: readonly CutSegment[]): Placed[] {
  return segments.flatMap(({ n, pictures }) =>
    pictures.map(({ offset90k, isKey }, index) => ({
      n,
      index,
      isKey,
      ticks: n * SEGMENT_TICKS + offset90k,
    })),
  );
}

/** Index of the picture on show at a time: the last that starts at or before it. */
function findHeld(pictures: readonly Placed[], ticks: number): number {
  const index = pictures.findLastIndex((picture) => picture.ticks <= ticks);
  if (index !== -1) return index;
  throw new ChalkreelError(
    'clip-without-picture',
    `Expected a picture at or before ${ticks / TICKS_PER_MS} ms, the first of ${pictures.length} is ` +
      `${pictures[0] === undefined ? 'missing' : `at ${pictures[0].ticks / TICKS_PER_MS} ms`}.`,
  );
}

function planPictures(pictures: readonly Placed[], { startMs, endMs }: CutWindow): Shown {
  const start = startMs * TICKS_PER_MS;
  const end = endMs * TICKS_PER_MS;
  const first = findHeld(pictures, start);
  const last = findHeld(pictures, end - 1);
  const shown = pictures.slice(first, last + 1);
  return {
    first,
    pictures: shown.map(({ n, index, isKey, ticks }, i) => {
      const at90k = Math.max(0, ticks - start);
      const nextAt90k = (shown[i + 1]?.ticks ?? end) - start;
      return { n, index, isKey, at90k, duration90k: nextAt90k - at90k };
    }),
  };
}

function splitAtKey(
  pictures: readonly Placed[],
  { first, pictures: shown }: Shown,
): Pick<CutPlan, 'head' | 'body'> {
  const key = shown.findIndex((picture) => picture.isKey);
  const bodyStart = key === -1 ? shown.length : key;
  if (bodyStart === 0) return { head: null, body: shown };
  const lead = gopUpTo(pictures, first);
  const rest = shown.slice(1, bodyStart).map(toRef);
  return {
    head: {
      decode: [...lead, ...rest],
      skip: lead.length - 1,
      pictures: shown.slice(0, bodyStart),
    },
    body: shown.slice(bodyStart),
  };
}

/** The pictures from the last key picture at or before `index` to `index` itself: all that its decoding needs. */
function gopUpTo(pictures: readonly Placed[], index: number): PictureRef[] {
  const key = pictures.findLastIndex((picture, i) => i <= index && picture.isKey);
  if (key !== -1) return pictures.slice(key, index + 1).map(toRef);
  throw new ChalkreelError(
    'clip-without-picture',
    `Segment ${pictures[index]?.n}: expected a key picture at or before picture ${pictures[index]?.index}, found none.`,
  );
}

function toRef({ n, index }: PictureRef): PictureRef {
  return { n, index };
}

function planAudio(
  segments: readonly CutSegment[],
  { startMs, endMs }: CutWindow,
): CutPlan['audio'] {
  const available = new Map(segments.map(({ n, audioFrames }) => [n, audioFrames]));
  const startSample = startMs * SAMPLES_PER_MS;
  // Frames are numbered from the origin: the grid has exactly 75 a segment.
  const first = Math.floor(startSample / AAC_FRAME_SAMPLES) - 1;
  const end = Math.ceil((endMs * SAMPLES_PER_MS) / AAC_FRAME_SAMPLES);
  const frames = Array.from({ length: end - first }, (_, i): ClipAudioFrame => {
    const n = Math.floor((first + i) / AAC_FRAMES_PER_SEGMENT);
    const index = first + i - n * AAC_FRAMES_PER_SEGMENT;
    return index < (available.get(n) ?? 0) ? { n, index } : 'silence';
  });
  return { frames, skipSamples: startSample - first * AAC_FRAME_SAMPLES };
}

function findHoles(segments: readonly CutSegment[], window: CutWindow): CutWindow[] {
  const present = new Set(segments.map(({ n }) => n));
  const holes: CutWindow[] = [];
  const last = Math.floor((window.endMs - 1) / SEGMENT_MS);
  for (let n = Math.floor(window.startMs / SEGMENT_MS); n <= last; n++) {
    if (present.has(n)) continue;
    const startMs = Math.max(window.startMs, n * SEGMENT_MS);
    const endMs = Math.min(window.endMs, (n + 1) * SEGMENT_MS);
    const previous = holes.at(-1);
    if (previous?.endMs === startMs) holes[holes.length - 1] = { ...previous, endMs };
    else holes.push({ startMs, endMs });
  }
  return holes;
}
