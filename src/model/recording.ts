import type { GridFps } from './grid.ts';
import type { ClipPrecision } from './highlight.ts';
import type { LayoutChoice } from './layout.ts';
import type { ReencodeRun } from './reencode-run.ts';

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
  /** Lanes: with 2, two workers record the class all the time, and the loss of either costs nothing. The class sees two silent guests. */
  readonly redundancy: 1 | 2;
  readonly highlights: HighlightSettings;
};

/** What may be kept of a recording as highlights, and what is kept without being asked for. */
export type HighlightSettings = {
  /** Longest window; longer ones are refused. */
  readonly maxClipMs: number;
  readonly rules: readonly HighlightRule[];
};

/** Keeps the moment whenever the class reports an event. */
export type HighlightRule = {
  /** The event's type: `reward`, `spotlight`, or one that the page reports itself. */
  readonly on: string;
  readonly beforeMs?: number | undefined;
  readonly afterMs?: number | undefined;
  /** Default: the event's own. */
  readonly title?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly precision?: ClipPrecision | undefined;
  readonly merge?: boolean | undefined;
};

/** What is recorded: any page, or streams and signalling shown by Chalkreel's own classroom page. */
export type RecordingSource =
  | { readonly kind: 'page'; readonly url: string }
  | { readonly kind: 'classroom'; readonly classroom: ClassroomSource };

/** A class given by its parts, and how it is to be arranged. Shapes are checked in protocol/classroom.ts. */
export type ClassroomSource = LayoutChoice & {
  readonly title: string;
  /** WebSocket URL of the class's signalling. */
  readonly signallingUrl: string;
  /** The recorder is seen in the class's roster by this name; absent: it is not seen. */
  readonly recorderName?: string | undefined;
  /** y-websocket URL of the shared whiteboard, room included; absent when the class has none. */
  readonly whiteboardUrl?: string | undefined;
  readonly sources: readonly StreamSource[];
};

/** Roles a stream may have. A participant may have one stream of each: a camera, and a screen. */
export const STREAM_ROLES = ['teacher', 'tutor', 'student', 'screen'] as const;

/** How a stream is fetched: WebRTC by WHEP, live HLS, or a file over http(s). */
export const STREAM_KINDS = ['whep', 'hls', 'file'] as const;
export type StreamKind = (typeof STREAM_KINDS)[number];

export type StreamSource = {
  /** Participant the stream belongs to, as known to signalling. */
  readonly participantId: string;
  readonly name: string;
  readonly role: (typeof STREAM_ROLES)[number];
  readonly url: string;
} & (
  | { readonly kind: 'hls' | 'file' }
  | {
      readonly kind: 'whep';
      /** Bearer token of the WHEP server. A new one is given by a change of the source. */
      readonly token?: string | undefined;
      readonly iceServers?: readonly IceServer[] | undefined;
    }
);

/** A STUN or TURN server, as RTCPeerConnection takes it. */
export type IceServer = {
  readonly urls: readonly string[];
  readonly username?: string | undefined;
  readonly credential?: string | undefined;
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

/** Who makes a lane of a recording. */
export type LaneOwner = {
  readonly lane: number;
  readonly workerId: string;
  /** Of the lane's lease: it only grows. */
  readonly epoch: number;
  readonly sinceMs: number;
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
  /** Who makes it now, or made it last, lane by lane. */
  readonly owners?: readonly LaneOwner[];
  /** How often a lane went from one worker to another, by takeover or hand-over. */
  readonly ownerChanges?: number;
  /** How long it is kept after its end; absent or null: for ever. */
  readonly retentionS?: number | null | undefined;
  /** Its deletion has begun, Unix ms: what is left is there for clips that have no media of their own yet. */
  readonly deletedAtMs?: number | undefined;
  /** In every log line and job that has to do with it; older recordings get theirs when they are first re-encoded. */
  readonly traceId?: string | undefined;
  /** What it is, or was, re-encoded into: the newest run of each profile. */
  readonly reencodes?: readonly ReencodeRun[] | undefined;
};

export function isFinal(state: RecordingState): state is 'completed' | 'failed' {
  return state === 'completed' || state === 'failed';
}

/** What goes into every log line and job about a recording. */
export function traceOf({ id, traceId }: Pick<Recording, 'id' | 'traceId'>): string {
  return traceId ?? id;
}

/** The recording with this owner of a lane; a change is counted when another worker had it. */
export function enterOwner(recording: Recording, owner: LaneOwner): Recording {
  const { owners = [], ownerChanges = 0 } = recording;
  const before = owners.find(({ lane }) => lane === owner.lane);
  if (before !== undefined && before.epoch >= owner.epoch) return recording;
  const others = owners.filter(({ lane }) => lane !== owner.lane);
  const isChange = before !== undefined && before.workerId !== owner.workerId;
  return {
    ...recording,
    owners: [...others, owner].sort((a, b) => a.lane - b.lane),
    ownerChanges: ownerChanges + (isChange ? 1 : 0),
  };
}

/** The recording after a change of state; the same object when it is in that state, or over, already. */
export function enterState(recording: Recording, change: StateChange): Recording {
  if (recording.state === change.state || isFinal(recording.state)) return recording;
  return { ...recording, state: change.state, history: [...recording.history, change] };
}

/** When a recording that is over has been kept long enough, Unix ms; null while it is not over, or when it is kept for ever. */
export function expiryOf({
  state,
  history,
  retentionS,
}: Pick<Recording, 'state' | 'history' | 'retentionS'>): number | null {
  const end = history.at(-1);
  if (!isFinal(state) || end === undefined) return null;
  return retentionS === undefined || retentionS === null ? null : end.atMs + retentionS * 1000;
}

/** Who teaches: what the platform says in `metadata.teacher`, else the first participant with a teacher's stream; null when neither is there. */
export function teacherOf({
  metadata,
  source,
}: Pick<Recording, 'metadata' | 'source'>): string | null {
  if (typeof metadata.teacher === 'string') return metadata.teacher;
  if (source.kind !== 'classroom') return null;
  return source.classroom.sources.find(({ role }) => role === 'teacher')?.participantId ?? null;
}
