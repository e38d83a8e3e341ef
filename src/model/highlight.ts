/** Who or what asked for a moment to be kept. */
export type HighlightOrigin = 'api' | 'signalling' | 'page' | 'panel' | 'rule';

/** The span asked for, on the recording's clock: Unix ms, start inclusive, end exclusive. */
export type ClipWindow = { readonly startMs: number; readonly endMs: number };

export type HighlightState = 'open' | 'assembling' | 'completed' | 'failed';

/** `frame`: the clip's own file begins and ends exactly; `segment`: it keeps whole segments, so that no picture is encoded again. */
export const CLIP_PRECISIONS = ['frame', 'segment'] as const;
export type ClipPrecision = (typeof CLIP_PRECISIONS)[number];

/** The wish: a trigger and its window, and how far the clip's own media is. */
export type Highlight = {
  readonly id: string;
  readonly recordingId: string;
  /** Made by whoever triggered; the same trigger heard twice is one highlight. */
  readonly triggerId: string;
  readonly origin: HighlightOrigin;
  /** Unix ms on the recording's clock. */
  readonly triggeredAtMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly title: string | null;
  readonly requestedBy: string | null;
  /** Whose moment it is: ids of participants, as the platform knows them. */
  readonly participants: readonly string[];
  readonly tags: readonly string[];
  readonly precision: ClipPrecision;
  readonly createdAtMs: number;
  /** `open`: the window may still be growing; `completed`: MP4 and poster are in the store. */
  readonly state: HighlightState;
  readonly reason: string | null;
  /** The window after clamping to the recording, once known; what was clamped is said in `warnings`. */
  readonly window: ClipWindow;
  readonly clip: ClipMedia | null;
  readonly warnings: readonly string[];
  /** The recording's teacher, as the platform knows them: a clip is found by it even when its recording is gone. */
  readonly teacher?: string | null | undefined;
  /** The recording's segments of this clip are gone, Unix ms: from then on it is its MP4 alone, without a playlist. */
  readonly playlistGoneAtMs?: number | undefined;
};

/** Whether the clip is still to be made: a highlight that is `completed` or `failed` stays so. */
export function isPending({ state }: Pick<Highlight, 'state'>): boolean {
  return state === 'open' || state === 'assembling';
}

/** The clip's own files, in the object store. */
export type ClipMedia = {
  readonly mp4: { readonly object: string; readonly length: number; readonly durationMs: number };
  /** Null when there is only sound. */
  readonly poster: { readonly object: string; readonly length: number } | null;
};

/** Window used where a trigger names none. */
export const DEFAULT_BEFORE_MS = 30_000;
export const DEFAULT_AFTER_MS = 5_000;
/** Longest window, unless the recording's settings say otherwise: longer ones are asked for by mistake. */
export const DEFAULT_MAX_CLIP_MS = 600_000;
