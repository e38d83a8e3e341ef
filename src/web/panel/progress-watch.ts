import { isFinal } from '../../model/recording.ts';
import type { RecordingView } from '../common/page-api.ts';

/** Notices that a running recording gets no longer. */
export type ProgressWatch = {
  /** For how long no segment has come, ms by this device's clock; 0 where nothing is known. */
  stalledMs(recording: Pick<RecordingView, 'state' | 'progress'>): number;
};

/** Tell it every recording that was read. */
export function createProgressWatch(nowMs: () => number = () => performance.now()): ProgressWatch {
  let segments = -1;
  let grownAtMs = nowMs();
  return {
    stalledMs({ state, progress }) {
      const isRunning = !isFinal(state) && progress !== null && progress.segments > 0;
      if (!isRunning || progress.segments !== segments) {
        segments = progress?.segments ?? -1;
        grownAtMs = nowMs();
      }
      return nowMs() - grownAtMs;
    },
  };
}
