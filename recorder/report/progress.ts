import type { Closable } from '../../src/lifecycle.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import { fartherFromZero, type RecordingProgress } from '../../src/model/progress.ts';
import { NO_PICTURES, type CaptureStats } from '../../src/protocol/recorder-link.ts';
import type { SourceReport } from '../../src/model/source-report.ts';
import type { QualitySpans } from './quality-watch.ts';
import type { UsageMeter } from './usage.ts';

const PERIOD_MS = 1_000;

export type ProgressSources = {
  /** Process group of the recording's Chrome. */
  readonly groupId: number;
  readonly usage: UsageMeter;
  readonly nowMs: () => number;
  readonly stats: () => CaptureStats | undefined;
  readonly spans: (untilMs: number) => QualitySpans;
  /** What the classroom says of its streams. */
  readonly streams: () => readonly SourceReport[];
  readonly published: () => {
    readonly segments: number;
    readonly bytes: number;
    readonly queueMax: number;
  };
  readonly onProgress: (progress: RecordingProgress) => void;
};

export type ProgressMeter = Closable & {
  /** The numbers now, with spans up to `untilMs` (default: now); also what the report ends with. */
  read(untilMs?: number): Promise<RecordingProgress>;
};

/**
 * Measures a recording once a second: what capture counted, what was published, what it costs. Cores are those of
 * Chrome and of this process's share.
 */
export function startProgressMeter(sources: ProgressSources): ProgressMeter {
  let before: { readonly atMs: number; cpuSeconds: number; captured: number } | undefined;
  let worstOffsetMs: number | null = null;
  const read = async (untilMs?: number): Promise<RecordingProgress> => {
    const usage = await sources.usage.read(sources.groupId);
    const atMs = sources.nowMs();
    const stats = sources.stats() ?? NOTHING_CAPTURED;
    const { segments, bytes, queueMax } = sources.published();
    const { captured } = stats;
    const offsets = avOffsets(stats);
    worstOffsetMs = fartherFromZero(worstOffsetMs, offsets?.recentMs ?? null);
    const since = before ?? { atMs, cpuSeconds: usage.cpuSeconds, captured };
    const seconds = Math.max(0.001, (atMs - since.atMs) / 1000);
    before = { atMs, cpuSeconds: usage.cpuSeconds, captured };
    return {
      atMs: Math.round(atMs),
      segments,
      recordedMs: segments * SEGMENT_MS,
      framesCaptured: captured,
      framesEncoded: stats.encoded,
      framesRepeated: stats.repeated,
      framesLate: stats.late,
      framesDropped: stats.dropped,
      emptySlots: stats.emptySlots,
      fps: round((captured - since.captured) / seconds, 1),
      audioSamplesStretched: stats.audioStretched,
      audioSamplesInserted: stats.audioInserted,
      audioSamplesDropped: stats.audioDropped,
      audioJumps: stats.audioJumps,
      avOffsetMs: offsets === undefined ? null : round(offsets.meanMs, 1),
      avOffsetWorstMs: worstOffsetMs === null ? null : round(worstOffsetMs, 1),
      integratedLufs: stats.integratedLufs,
      loudnessMs: stats.loudnessMs,
      truePeakDbtp: stats.truePeakDbtp,
      ...sources.spans(untilMs ?? atMs),
      sources: sources.streams(),
      encodeQueueMax: stats.encodeQueueMax,
      socketQueueMaxBytes: stats.socketQueueMaxBytes,
      publishQueueMax: queueMax,
      bytes,
      cores: round((usage.cpuSeconds - since.cpuSeconds) / seconds, 2),
      memoryMb: Math.round(usage.memoryMb),
      cpuSeconds: round(usage.cpuSeconds, 2),
      wallMs: Math.round(usage.wallMs),
    };
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

/** Sound's lateness less the picture's: positive when sound comes after the picture it belongs to. */
function avOffsets(
  stats: CaptureStats,
): { readonly meanMs: number; readonly recentMs: number } | undefined {
  const { soundLateness: sound, pictureLateness: picture } = stats;
  if (sound === null || picture === null) return undefined;
  return {
    meanMs: sound.meanMs - picture.meanMs,
    recentMs: sound.recentMs - picture.recentMs,
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Before the recorder tab's first count. */
const NOTHING_CAPTURED: CaptureStats = {
  ...NO_PICTURES,
  audioInserted: 0,
  audioDropped: 0,
  audioStretched: 0,
  audioJumps: 0,
  soundLateness: null,
  integratedLufs: null,
  loudnessMs: 0,
  truePeakDbtp: null,
  socketQueueMaxBytes: 0,
};
