import type { Continuity } from './continuity.ts';
import type { RecordingProgress } from './progress.ts';
import type { RecordingSettings } from './recording.ts';

/** How a recording went: `report.json` at its end, and what the API shows while it runs. Times are Unix ms. */
export type QualityReport = RecordingProgress &
  Continuity & {
    readonly settings: RecordingSettings;
    readonly originMs: number;
    /** When the first picture was captured. */
    readonly firstFrameMs: number;
    /** Black and silence between the origin and the first picture. */
    readonly leadInMs: number;
    /** When its end was asked for or came; null while it runs, as are the two below. */
    readonly endedAtMs: number | null;
    /** Recorded beyond the asked end, up to the boundary; 0 when it ended early. */
    readonly tailPaddingMs: number | null;
    readonly end: ReportEnd | null;
    /** Length of the segments there are. */
    readonly durationMs: number;
    /** How often another worker went on with it. */
    readonly ownerChanges: number;
  };

/** Why a recording ended as it should, or the code of what ended it early and a sentence about it. */
export type ReportEnd =
  { readonly reason: string } | { readonly failure: string; readonly detail: string };
