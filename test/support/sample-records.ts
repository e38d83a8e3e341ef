import type { Highlight } from '../../src/model/highlight.ts';
import type { Recording } from '../../src/model/recording.ts';
import type { SegmentEntry } from '../../src/model/segment.ts';
import { recordingSettingsSchema } from '../../src/protocol/recording-request.ts';
import { objectKeys } from '../../src/storage/keys.ts';

/** A multiple of 1600 ms, as an origin must be. */
export const SAMPLE_ORIGIN_MS = 1_750_000_000_000;

/** A queued recording with defaults, for tests. */
export function sampleRecording(change: Partial<Recording> = {}): Recording {
  const createdAtMs = change.createdAtMs ?? SAMPLE_ORIGIN_MS - 2000;
  return {
    id: 'recording-1',
    externalId: null,
    metadata: {},
    source: { kind: 'page', url: 'http://127.0.0.1/class' },
    settings: recordingSettingsSchema.parse({}),
    state: 'queued',
    history: [{ state: 'queued', atMs: createdAtMs }],
    createdAtMs,
    originMs: null,
    stopRequestedAtMs: null,
    leadInMs: null,
    tailPaddingMs: null,
    warnings: [],
    ...change,
  };
}

/** An open highlight with a 35 s window, for tests. */
export function sampleHighlight(change: Partial<Highlight> = {}): Highlight {
  const triggeredAtMs = change.triggeredAtMs ?? SAMPLE_ORIGIN_MS + 60_000;
  return {
    id: 'highlight-1',
    recordingId: 'recording-1',
    triggerId: 'trigger-1',
    origin: 'api',
    triggeredAtMs,
    beforeMs: 30_000,
    afterMs: 5_000,
    title: null,
    requestedBy: null,
    participants: [],
    tags: [],
    precision: 'frame',
    createdAtMs: triggeredAtMs,
    state: 'open',
    reason: null,
    window: { startMs: triggeredAtMs - 30_000, endMs: triggeredAtMs + 5_000 },
    clip: null,
    warnings: [],
    ...change,
  };
}

/** The index entry of segment `n`, for tests. */
export function sampleEntry(n: number, change: Partial<SegmentEntry> = {}): SegmentEntry {
  const { lane = 0, epoch = 1 } = change;
  return {
    n,
    lane,
    epoch,
    place: { object: objectKeys.segment('recording-1', { n, lane, epoch }), offset: 0, length: 4 },
    codecHash: 'codec-a',
    publishedAtMs: SAMPLE_ORIGIN_MS + 1600 * (n + 1),
    ...change,
  };
}
