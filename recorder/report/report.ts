import { SEGMENT_MS } from '../../src/model/grid.ts';
import type { Recording, RecordingSettings } from '../../src/model/recording.ts';
import type { QualityReport } from '../../src/model/report.ts';
import type { RecordingOrigin } from '../capture.ts';
import type { RecordingOutcome } from '../record.ts';

/** `report.json` as text: how a recording went, for people and machines. */
export function writeReport(
  settings: RecordingSettings,
  outcome: RecordingOutcome,
  { ownerChanges = 0 }: Pick<Recording, 'ownerChanges'> = {},
): string {
  const { originMs, firstFrameMs, endedAtMs, end, segments, continuity, progress } = outcome;
  const report: QualityReport = {
    ...progress,
    settings,
    originMs,
    firstFrameMs,
    leadInMs: leadInMs(outcome),
    endedAtMs: Math.round(endedAtMs),
    tailPaddingMs: tailPaddingMs(outcome),
    end:
      'reason' in end
        ? { reason: end.reason }
        : { failure: end.failure.code, detail: end.failure.message },
    segments,
    durationMs: segments * SEGMENT_MS,
    ownerChanges,
    ...continuity,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** Black and silence between the origin and the first picture. */
export function leadInMs(outcome: RecordingOrigin): number {
  return Math.round(outcome.firstFrameMs - outcome.originMs);
}

/** Recorded beyond the asked end, up to the boundary; 0 when it ended early. */
export function tailPaddingMs(outcome: RecordingOutcome): number {
  const recordedToMs = outcome.originMs + (outcome.segments + outcome.lost.length) * SEGMENT_MS;
  return Math.max(0, Math.round(recordedToMs - outcome.endedAtMs));
}
