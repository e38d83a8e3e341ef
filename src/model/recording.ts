import type { GridFps } from './grid.ts';

/** What is kept of a classroom: picture and sound, or its sound alone. */
export const RECORDING_MEDIA = ['audio-video', 'audio'] as const;
export type RecordingMedia = (typeof RECORDING_MEDIA)[number];

/** How a recording's picture and sound are made. Fixed for the recording's life. */
export type RecordingSettings = {
  /** With `audio`, size, frame rate and video bitrate say only how large the page is opened. */
  readonly media: RecordingMedia;
  /** Pixels, even. */
  readonly width: number;
  readonly height: number;
  readonly fps: GridFps;
  /** Bits per second. */
  readonly videoBitrate: number;
  readonly audioBitrate: number;
  /** `load`: the page's load event and a first picture; `signal`: the page says when. Either way a signal is heard. */
  readonly readiness: 'load' | 'signal';
  /** After this the recording starts anyway, and says so. */
  readonly readinessTimeoutMs: number;
  /** Classes last up to 24 h; after this the recording stops by itself. */
  readonly maxDurationMs: number;
};

/** What is recorded: any page, or streams and signalling shown by Chalkreel's own classroom page. */
export type RecordingSource =
  | { readonly kind: 'page'; readonly url: string }
  | { readonly kind: 'classroom'; readonly classroom: ClassroomSource };

/** A class given by its parts. Shapes are checked in protocol/classroom.ts. */
export type ClassroomSource = {
  readonly title: string;
  /** WebSocket URL of the class's signalling. */
  readonly signallingUrl: string;
  /** y-websocket URL of the shared whiteboard, room included; absent when the class has none. */
  readonly whiteboardUrl?: string | undefined;
  readonly sources: readonly StreamSource[];
};

export type StreamSource = {
  /** Participant the stream belongs to, as known to signalling. */
  readonly participantId: string;
  readonly name: string;
  readonly role: 'teacher' | 'tutor' | 'student' | 'screen';
  readonly kind: 'hls' | 'file';
  readonly url: string;
};

export type RecordingState =
  'queued' | 'starting' | 'recording' | 'stopping' | 'completed' | 'failed';

/** One step in a recording's life, with its time and, at the end, its reason. */
export type StateChange = {
  readonly state: RecordingState;
  readonly atMs: number;
  /** Why: `stop-requested`, `page-ended`, `max-duration`, `signal`, or a ChalkreelError's code. */
  readonly reason?: string | undefined;
  /** A sentence for people. */
  readonly detail?: string | undefined;
};

export type Recording = {
  readonly id: string;
  readonly externalId: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly source: RecordingSource;
  readonly settings: RecordingSettings;
  readonly state: RecordingState;
  /** Every state it was in, in order; the last one is the present. */
  readonly history: readonly StateChange[];
  readonly createdAtMs: number;
  /** Origin t0 of the grid, Unix ms, a multiple of 1600; null until a worker has a picture. */
  readonly originMs: number | null;
  /** When a stop was asked for, Unix ms. */
  readonly stopRequestedAtMs: number | null;
  /** Silence and black between the origin and the first captured frame. */
  readonly leadInMs: number | null;
  /** Recorded beyond the asked stop, up to the boundary. */
  readonly tailPaddingMs: number | null;
  /** Things a person should know: a readiness deadline missed, a hole. */
  readonly warnings: readonly string[];
};

export function isFinal(state: RecordingState): state is 'completed' | 'failed' {
  return state === 'completed' || state === 'failed';
}

/** The recording after a change of state; the same object when it is in that state, or over, already. */
export function enterState(recording: Recording, change: StateChange): Recording {
  if (recording.state === change.state || isFinal(recording.state)) return recording;
  return { ...recording, state: change.state, history: [...recording.history, change] };
}
