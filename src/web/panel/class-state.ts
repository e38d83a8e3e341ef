import { isFinal } from '../../model/recording.ts';
import type { RecordingView } from '../common/page-api.ts';

/** What the panel says of the class, and whether a moment can be saved. */
export type ClassState = {
  readonly badge: string;
  readonly kind: 'live' | 'calm' | 'trouble' | 'failed';
  /** A sentence for people; empty when all is as it should be. */
  readonly note: string;
};

/** Segments come every 1.6 s: with none for five of them, something is wrong. */
const STALLED_AFTER_MS = 8000;

/** `stalledMs`: for how long no segment has come. */
export function describeClass(
  recording: Pick<RecordingView, 'state' | 'originMs'>,
  { isConnected, stalledMs }: { readonly isConnected: boolean; readonly stalledMs: number },
): ClassState {
  const { state, originMs } = recording;
  if (state === 'completed') return { badge: 'Over', kind: 'calm', note: 'The class is over.' };
  if (state === 'failed') {
    return { badge: 'Interrupted', kind: 'failed', note: 'The recording ended before the class.' };
  }
  if (!isConnected) {
    const note = 'No connection. What you save is kept here, and sent when the connection is back.';
    return { badge: 'Reconnecting', kind: 'trouble', note };
  }
  if (originMs === null) {
    return { badge: 'Not begun', kind: 'calm', note: 'The class is about to begin…' };
  }
  if (stalledMs > STALLED_AFTER_MS) {
    const note = 'The recording is catching up after a problem. You can go on saving moments.';
    return { badge: 'Reconnecting', kind: 'trouble', note };
  }
  if (state === 'stopping') return { badge: 'Ending', kind: 'calm', note: '' };
  return { badge: 'Live', kind: 'live', note: '' };
}

/** Whether `beforeMs` back from now there is something to keep: also a little after the end ("that was it!"). */
export function canSave(
  recording: Pick<RecordingView, 'state' | 'originMs' | 'history'>,
  { beforeMs, nowMs }: { readonly beforeMs: number; readonly nowMs: number },
): boolean {
  if (recording.originMs === null) return false;
  if (!isFinal(recording.state)) return true;
  const endedAtMs = recording.history.at(-1)?.atMs ?? 0;
  return nowMs - beforeMs < endedAtMs;
}
