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
  /** Someone wants this moment kept. The same `triggerId` may be given again: it stays one highlight. */
  highlight(trigger: PageHighlight): void;
  /** Something worth a line in the recording's log. */
  event(event: PageEvent): void;
  /** The page is alive: called about once a second. */
  beacon(stats: PageBeacon): void;
};

export type PageHighlight = {
  readonly triggerId: string;
  /** Unix ms on this machine's clock; now when absent. */
  readonly atMs?: number | undefined;
  readonly beforeMs?: number | undefined;
  readonly afterMs?: number | undefined;
  readonly title?: string | undefined;
  readonly requestedBy?: string | undefined;
};

export type PageEvent = {
  readonly type: string;
  /** Unix ms. */
  readonly atMs: number;
  readonly [field: string]: unknown;
};

/** How a source's tile is doing. `reconnecting`: no picture now, being tried again. */
export type SourceState = 'connecting' | 'playing' | 'reconnecting';

export type PageBeacon = {
  /** Unix ms. */
  readonly atMs: number;
  readonly signalling: 'connecting' | 'open' | 'reconnecting';
  readonly sources: readonly {
    readonly participantId: string;
    readonly state: SourceState;
    /** Frames decoded and dropped by this tile's player since the page opened. */
    readonly decodedFrames: number;
    readonly droppedFrames: number;
    /** Distance of what is shown from the live edge, ms; null while nothing plays. */
    readonly latencyMs: number | null;
  }[];
};
