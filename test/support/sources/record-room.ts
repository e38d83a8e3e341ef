import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { recordOnce } from '../../../recorder/once.ts';
import { loadConfig } from '../../../src/config.ts';
import { createLog } from '../../../src/log.ts';
import type { ClassroomSource } from '../../../src/model/recording.ts';
import type { QualityReport } from '../../../src/model/report.ts';
import { recordingSettingsSchema } from '../../../src/protocol/recording-request.ts';

/** A recorded class: its playlist, the Unix time of its first segment, its report. */
export type RecordedRoom = {
  readonly playlist: string;
  readonly startMs: number;
  readonly report: QualityReport;
};

/** Records a class into `folder` for some seconds, without API or queue, once its page says that it is ready. */
export async function recordRoom(
  classroom: ClassroomSource,
  options: { readonly folder: string; readonly seconds: number; readonly fps: number },
): Promise<RecordedRoom> {
  const { folder, seconds, fps } = options;
  const { playlist, originMs } = await recordOnce({
    source: { kind: 'classroom', classroom },
    settings: recordingSettingsSchema.parse({
      ...{ fps, readiness: 'signal', readinessTimeoutMs: 30_000 },
      maxDurationMs: seconds * 1000,
    }),
    out: folder,
    config: loadConfig(),
    log: createLog('test', 'silent'),
    stopSignal: new AbortController().signal,
  });
  const text = await readFile(path.join(folder, 'report.json'), 'utf8');
  return { playlist, startMs: originMs, report: JSON.parse(text) as QualityReport };
}
