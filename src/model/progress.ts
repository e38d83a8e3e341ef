import { joinSourceReports, type SourceReport } from './source-report.ts';
import { joinSpans, NO_SPANS, type SpanSummary } from './spans.ts';

/**
 * A recording's numbers while it runs, and at its end: what the API shows, what metrics and logs say, and what
 * `report.json` keeps. The one definition of each is here.
 */
export type RecordingProgress = {
  readonly atMs: number;
  readonly segments: number;
  readonly recordedMs: number;
  /** Frames the tab capture handed over. */
  readonly framesCaptured: number;
  /** Pictures encoded, repeated ones included. */
  readonly framesEncoded: number;
  /** The held picture encoded again, because a slot must not be empty. */
  readonly framesRepeated: number;
  /** Captured frames that came too late for their slot, or lost it to another. */
  readonly framesLate: number;
  /** Captured frames left out before encoding because CPU or socket fell behind. */
  readonly framesDropped: number;
  /** Slots of the grid that hold no picture. */
  readonly emptySlots: number;
  /** Captured frames a second since the last progress. */
  readonly fps: number;
  /** Samples of 48 kHz by which sound was stretched or squeezed to follow the clock. */
  readonly audioSamplesStretched: number;
  /** Samples of silence put in where sound was missing, and samples cut out, by jumps; captured rate. */
  readonly audioSamplesInserted: number;
  readonly audioSamplesDropped: number;
  readonly audioJumps: number;
  /** How much later than the picture of the same moment sound lies, by the capture's clocks: mean. Null until both came. */
  readonly avOffsetMs: number | null;
  /** The same over a moment: farthest from zero. */
  readonly avOffsetWorstMs: number | null;
  /** Integrated loudness (ITU-R BS.1770-4, gated). Null while nothing was above −70 LUFS. */
  readonly integratedLufs: number | null;
  /** Sound that counted in it: the weight with which two workers' parts are joined. */
  readonly loudnessMs: number;
  /** True peak (BS.1770-4 annex 2, four times oversampled), dBTP. Null while there was no sound but zeros. */
  readonly truePeakDbtp: number | null;
  readonly black: SpanSummary;
  readonly still: SpanSummary;
  readonly frozen: SpanSummary;
  readonly silent: SpanSummary;
  /** The built-in classroom's streams; empty for any other page. */
  readonly sources: readonly SourceReport[];
  /** Most pictures that waited for the encoder, bytes that waited in the socket, segments that waited to be published. */
  readonly encodeQueueMax: number;
  readonly socketQueueMaxBytes: number;
  readonly publishQueueMax: number;
  /** Published. */
  readonly bytes: number;
  /** CPU of this recording's processes, in cores, since the last progress. */
  readonly cores: number;
  /** Proportional set size of this recording's processes. */
  readonly memoryMb: number;
  /** Used since Chrome was launched, time before the first picture included: the basis for charging. */
  readonly cpuSeconds: number;
  readonly wallMs: number;
};

/** Nothing counted yet. */
export const NO_PROGRESS: RecordingProgress = {
  atMs: 0,
  segments: 0,
  recordedMs: 0,
  framesCaptured: 0,
  framesEncoded: 0,
  framesRepeated: 0,
  framesLate: 0,
  framesDropped: 0,
  emptySlots: 0,
  fps: 0,
  audioSamplesStretched: 0,
  audioSamplesInserted: 0,
  audioSamplesDropped: 0,
  audioJumps: 0,
  avOffsetMs: null,
  avOffsetWorstMs: null,
  integratedLufs: null,
  loudnessMs: 0,
  truePeakDbtp: null,
  black: NO_SPANS,
  still: NO_SPANS,
  frozen: NO_SPANS,
  silent: NO_SPANS,
  sources: [],
  encodeQueueMax: 0,
  socketQueueMaxBytes: 0,
  publishQueueMax: 0,
  bytes: 0,
  cores: 0,
  memoryMb: 0,
  cpuSeconds: 0,
  wallMs: 0,
};

type NumberOf = { readonly help: string; readonly read: (p: RecordingProgress) => number | null };

/** Progress as plain numbers with their meaning: keys in logs, and, in snake case, names of metrics. */
export const PROGRESS_NUMBERS = {
  segments: { help: 'Segments published', read: (p) => p.segments },
  recordedMs: { help: 'Length recorded, ms', read: (p) => p.recordedMs },
  framesCaptured: { help: 'Frames captured', read: (p) => p.framesCaptured },
  framesEncoded: { help: 'Pictures encoded', read: (p) => p.framesEncoded },
  framesRepeated: { help: 'Pictures encoded again as fillers', read: (p) => p.framesRepeated },
  framesLate: { help: 'Frames too late for their slot', read: (p) => p.framesLate },
  framesDropped: { help: 'Frames dropped before encoding', read: (p) => p.framesDropped },
  emptySlots: { help: 'Slots without a picture', read: (p) => p.emptySlots },
  fps: { help: 'Frames captured in a second', read: (p) => p.fps },
  audioSamplesStretched: {
    help: 'Samples by which sound was stretched',
    read: (p) => p.audioSamplesStretched,
  },
  audioSamplesInserted: {
    help: 'Samples of silence inserted',
    read: (p) => p.audioSamplesInserted,
  },
  audioSamplesDropped: { help: 'Samples of sound dropped', read: (p) => p.audioSamplesDropped },
  audioJumps: { help: 'Jumps of sound', read: (p) => p.audioJumps },
  avOffsetMs: { help: 'Sound after picture, mean, ms', read: (p) => p.avOffsetMs },
  avOffsetWorstMs: { help: 'Sound after picture, worst, ms', read: (p) => p.avOffsetWorstMs },
  integratedLufs: { help: 'Integrated loudness, LUFS', read: (p) => p.integratedLufs },
  truePeakDbtp: { help: 'True peak, dBTP', read: (p) => p.truePeakDbtp },
  blackMs: { help: 'Black picture, ms', read: (p) => p.black.totalMs },
  stillMs: { help: 'Nothing drawn, ms', read: (p) => p.still.totalMs },
  frozenMs: { help: 'Page or video frozen, ms', read: (p) => p.frozen.totalMs },
  silentMs: { help: 'Silence, ms', read: (p) => p.silent.totalMs },
  sourceFreezes: {
    help: 'Times the picture of a stream stood',
    read: (p) => sumOf(p.sources, 'freezes'),
  },
  sourceReconnects: {
    help: 'Times a stream was lost',
    read: (p) => sumOf(p.sources, 'reconnects'),
  },
  sourceFailures: {
    help: 'Tries of a stream that failed',
    read: (p) => sumOf(p.sources, 'failures'),
  },
  encodeQueueMax: { help: 'Most pictures waiting for the encoder', read: (p) => p.encodeQueueMax },
  socketQueueMaxBytes: {
    help: 'Most bytes waiting in the socket',
    read: (p) => p.socketQueueMaxBytes,
  },
  publishQueueMax: {
    help: 'Most segments waiting to be published',
    read: (p) => p.publishQueueMax,
  },
  bytes: { help: 'Bytes published', read: (p) => p.bytes },
  cores: { help: 'CPU in use, cores', read: (p) => p.cores },
  memoryMb: { help: 'Memory in use (PSS), MB', read: (p) => p.memoryMb },
  cpuSeconds: { help: 'CPU used, s', read: (p) => p.cpuSeconds },
  wallMs: { help: 'Time a worker was used, ms', read: (p) => p.wallMs },
} as const satisfies Readonly<Record<string, NumberOf>>;

function sumOf(
  sources: readonly SourceReport[],
  key: 'freezes' | 'reconnects' | 'failures',
): number {
  return sources.reduce((sum, source) => sum + source[key], 0);
}

export type ProgressNumber = keyof typeof PROGRESS_NUMBERS;

/** The numbers that are known. */
export function readProgress(
  progress: RecordingProgress,
): Partial<Readonly<Record<ProgressNumber, number>>> {
  const known = Object.entries(PROGRESS_NUMBERS)
    .map(([key, { read }]) => [key, read(progress)] as const)
    .filter(([, value]) => value !== null);
  return Object.fromEntries(known);
}

/** What two workers made of one recording, one after the other. */
export function joinProgress(
  earlier: RecordingProgress,
  later: RecordingProgress,
): RecordingProgress {
  const sum = <K extends keyof RecordingProgress>(...keys: readonly K[]): Record<K, number> =>
    Object.fromEntries(
      keys.map((key) => [key, (earlier[key] as number) + (later[key] as number)]),
    ) as Record<K, number>;
  return {
    ...later,
    ...sum('segments', 'recordedMs', 'framesCaptured', 'framesEncoded', 'framesRepeated'),
    ...sum('framesLate', 'framesDropped', 'emptySlots', 'audioSamplesStretched', 'audioJumps'),
    ...sum('audioSamplesInserted', 'audioSamplesDropped', 'loudnessMs', 'bytes', 'wallMs'),
    cpuSeconds: Number((earlier.cpuSeconds + later.cpuSeconds).toFixed(2)),
    avOffsetMs: joinOffsets(earlier, later),
    avOffsetWorstMs: fartherFromZero(earlier.avOffsetWorstMs, later.avOffsetWorstMs),
    integratedLufs: joinLoudness(earlier, later),
    truePeakDbtp: greater(earlier.truePeakDbtp, later.truePeakDbtp),
    black: joinSpans(earlier.black, later.black),
    still: joinSpans(earlier.still, later.still),
    frozen: joinSpans(earlier.frozen, later.frozen),
    silent: joinSpans(earlier.silent, later.silent),
    sources: joinSourceReports(earlier.sources, later.sources),
    encodeQueueMax: Math.max(earlier.encodeQueueMax, later.encodeQueueMax),
    socketQueueMaxBytes: Math.max(earlier.socketQueueMaxBytes, later.socketQueueMaxBytes),
    publishQueueMax: Math.max(earlier.publishQueueMax, later.publishQueueMax),
  };
}

function joinOffsets(earlier: RecordingProgress, later: RecordingProgress): number | null {
  if (earlier.avOffsetMs === null || later.avOffsetMs === null) {
    return later.avOffsetMs ?? earlier.avOffsetMs;
  }
  const weight = earlier.recordedMs + later.recordedMs;
  if (weight === 0) return later.avOffsetMs;
  const sum = earlier.avOffsetMs * earlier.recordedMs + later.avOffsetMs * later.recordedMs;
  return Number((sum / weight).toFixed(1));
}

/** Mean power of the parts, weighted by how much of each counted: exact but for the gate, which each part set for itself. */
function joinLoudness(earlier: RecordingProgress, later: RecordingProgress): number | null {
  if (earlier.integratedLufs === null || later.integratedLufs === null) {
    return later.integratedLufs ?? earlier.integratedLufs;
  }
  const power = (p: RecordingProgress): number =>
    10 ** ((p.integratedLufs ?? 0) / 10) * p.loudnessMs;
  const mean = (power(earlier) + power(later)) / (earlier.loudnessMs + later.loudnessMs);
  return Number((10 * Math.log10(mean)).toFixed(1));
}

function greater(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/** Of two numbers that may be unknown, the one with the greater magnitude. */
export function fartherFromZero(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.abs(a) > Math.abs(b) ? a : b;
}
