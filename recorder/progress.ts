import type { Closable } from '../src/lifecycle.ts';
import { SEGMENT_MS } from '../src/model/grid.ts';
import type { RecordingProgress } from '../src/model/recording.ts';
import type { CaptureStats } from '../src/protocol/recorder-link.ts';
import { readGroupUsage } from './usage.ts';

const PERIOD_MS = 1_000;

export type ProgressSources = {
  /** Process group of the recording's Chrome. */
  readonly groupId: number;
  readonly nowMs: () => number;
  readonly stats: () => CaptureStats | undefined;
  readonly published: () => { readonly segments: number; readonly bytes: number };
  readonly onProgress: (progress: RecordingProgress) => void;
};

export type ProgressMeter = Closable & {
  /** The numbers now; also what the report ends with. */
  read(): Promise<RecordingProgress>;
};

/**
 * Measures a recording once a second: what capture counted, what was published, what it costs. Cores are those of
 * Chrome and of this process, which a worker with several slots shares between them.
 */
export function startProgressMeter(sources: ProgressSources): ProgressMeter {
  let before = { atMs: sources.nowMs(), cpuSeconds: 0, captured: 0, isFirst: true };
  const read = async (): Promise<RecordingProgress> => {
    const usage = await readGroupUsage(sources.groupId);
    const own = process.cpuUsage();
    const cpuSeconds = usage.cpuSeconds + (own.user + own.system) / 1e6;
    const atMs = sources.nowMs();
    const stats = sources.stats();
    const { segments, bytes } = sources.published();
    const seconds = Math.max(0.001, (atMs - before.atMs) / 1000);
    const captured = stats?.captured ?? 0;
    const progress: RecordingProgress = {
      atMs: Math.round(atMs),
      segments,
      recordedMs: segments * SEGMENT_MS,
      framesCaptured: captured,
      framesEncoded: stats?.encoded ?? 0,
      framesRepeated: stats?.repeated ?? 0,
      framesDropped: (stats?.dropped ?? 0) + (stats?.late ?? 0),
      emptySlots: stats?.emptySlots ?? 0,
      fps: before.isFirst ? 0 : round((captured - before.captured) / seconds, 1),
      bytes,
      // A process that ended takes its time with it: never less than nothing.
      cores: before.isFirst ? 0 : round(Math.max(0, (cpuSeconds - before.cpuSeconds) / seconds), 2),
      memoryMb: Math.round(usage.memoryMb + process.memoryUsage.rss() / 2 ** 20),
    };
    before = { atMs, cpuSeconds, captured, isFirst: false };
    return progress;
  };
  const timer = setInterval(() => {
    read().then(sources.onProgress, () => undefined);
  }, PERIOD_MS);
  return {
    read,
    close: () => {
      clearInterval(timer);
      return Promise.resolve();
    },
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
