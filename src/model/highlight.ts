/** Who or what asked for a moment to be kept. */
export type HighlightOrigin = 'api' | 'signalling' | 'page' | 'panel' | 'rule';

/** The span asked for, on the recording's clock: Unix ms, start inclusive, end exclusive. */
export type ClipWindow = { readonly startMs: number; readonly endMs: number };

export type HighlightState = 'open' | 'assembling' | 'completed' | 'failed';

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
  readonly createdAtMs: number;
  /** `open`: the window may still be growing; `completed`: MP4 and poster are in the store. */
  readonly state: HighlightState;
  readonly reason: string | null;
  /** The window after clamping to the recording, once known; what was clamped is said in `warnings`. */
  readonly window: ClipWindow;
  readonly clip: ClipMedia | null;
  readonly warnings: readonly string[];
};

/** The clip's own files, in the object store. */
export type ClipMedia = {
  readonly mp4: { readonly object: string; readonly length: number; readonly durationMs: number };
  /** Null when there is only sound. */
  readonly poster: { readonly object: string; readonly length: number } | null;
};

/** Window used where a trigger names none. */
export const DEFAULT_BEFORE_MS = 30_000;
export const DEFAULT_AFTER_MS = 5_000;
