import type { StreamKind, StreamSource } from './recording.ts';

/**
 * How a stream's tile is doing. `muted`: connected, heard, and without a picture (a camera switched off); `frozen`: its picture
 * stands; `reconnecting`: it was there and is being fetched again; `failed`: it cannot be had, `error` says why, and it is tried
 * again all the same.
 */
export const SOURCE_STATES = [
  'connecting',
  'playing',
  'muted',
  'frozen',
  'reconnecting',
  'failed',
] as const;
export type SourceState = (typeof SOURCE_STATES)[number];

/** What keeps a stream away. */
export const SOURCE_ERRORS = [
  /** Nobody answers at its URL. */
  'unreachable',
  /** The server refuses the token, or wants one. */
  'unauthorized',
  /** The server knows no such stream. */
  'not-found',
  /** The server answers that it cannot serve now. */
  'server-error',
  /** The server's answer is not what its kind promises: no SDP, no playlist. */
  'bad-answer',
  /** The browser has no decoder for it. */
  'codec-unsupported',
  /** WebRTC found no way to the server. */
  'no-connection',
  /** Connected, and nothing comes. */
  'no-media',
  /** What comes cannot be decoded. */
  'bad-media',
] as const;
export type SourceErrorCode = (typeof SOURCE_ERRORS)[number];

/** One stream in a recording's report. Counts are since the recording's page opened, summed over workers. */
export type SourceReport = {
  readonly participantId: string;
  readonly role: StreamSource['role'];
  readonly kind: StreamKind;
  readonly state: SourceState;
  /** Why it is not there now, or, when it is, why it last was not; null when it never was away. */
  readonly error: SourceErrorCode | null;
  /** The same as a sentence. */
  readonly detail: string | null;
  /** Times its picture stood for more than 0.5 s without the connection being given up, and for how long in all. */
  readonly freezes: number;
  readonly frozenMs: number;
  /** Times it was lost after it had been there. */
  readonly reconnects: number;
  /** Tries that failed. */
  readonly failures: number;
  /** Time it was there (playing, muted or frozen). */
  readonly shownMs: number;
  readonly decodedFrames: number;
  readonly droppedFrames: number;
  /** WebRTC only: packets that never came, and sound made up in their place. */
  readonly packetsLost: number;
  readonly concealedMs: number;
};

/** A stream before and after a change of worker or page: counts are summed, the rest is the later's. */
export function joinSourceReports(
  earlier: readonly SourceReport[],
  later: readonly SourceReport[],
): readonly SourceReport[] {
  const joined = new Map(earlier.map((report) => [nameOf(report), report]));
  for (const report of later) {
    const before = joined.get(nameOf(report));
    joined.set(nameOf(report), before === undefined ? report : join(before, report));
  }
  return [...joined.values()];
}

const nameOf = ({ role, participantId }: SourceReport): string => `${role} ${participantId}`;

function join(a: SourceReport, b: SourceReport): SourceReport {
  return {
    ...b,
    error: b.error ?? a.error,
    detail: b.detail ?? a.detail,
    freezes: a.freezes + b.freezes,
    frozenMs: a.frozenMs + b.frozenMs,
    reconnects: a.reconnects + b.reconnects,
    failures: a.failures + b.failures,
    shownMs: a.shownMs + b.shownMs,
    decodedFrames: a.decodedFrames + b.decodedFrames,
    droppedFrames: a.droppedFrames + b.droppedFrames,
    packetsLost: a.packetsLost + b.packetsLost,
    concealedMs: a.concealedMs + b.concealedMs,
  };
}
