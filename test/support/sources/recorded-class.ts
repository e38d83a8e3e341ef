import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { exportRecording } from '../../../src/cli/demo/export-folder.ts';
import { Platform, type RecordingView } from '../../../src/cli/demo/platform.ts';
import { startSystem } from '../../../src/cli/supervisor.ts';
import { loadConfig } from '../../../src/config.ts';
import type { Resources } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import { isFinal, type ClassroomSource } from '../../../src/model/recording.ts';
import type { QualityReport } from '../../../src/model/report.ts';
import { openObjectStore } from '../../../src/storage/objects/open-object-store.ts';
import { makeTempFolder } from '../temp-folder.ts';

const TIMEOUT_MS = 60_000;

/** A recording in progress, by the whole system, as a platform has it made. */
export type ClassRecording = {
  /** PATCHes the recording's streams; resolves to the status. */
  changeSources(body: unknown): Promise<number>;
  /** PATCHes how the class is arranged; resolves to the status. */
  changeLayout(body: unknown): Promise<number>;
  /** As it stands; undefined before anything was counted. */
  report(): Promise<QualityReport | undefined>;
  /** Stops it; resolves to what was made. */
  finish(): Promise<{
    readonly playlist: string;
    readonly startMs: number;
    readonly report: QualityReport;
  }>;
};

/** Starts the whole system and a recording of a class, at ten frames a second unless told otherwise; resolves when it records. */
export async function recordClass(
  classroom: ClassroomSource,
  resources: Resources,
  { fps = 10 }: { readonly fps?: number } = {},
): Promise<ClassRecording> {
  const folder = resources.use(await makeTempFolder('class'));
  const output = openSync(path.join(folder.path, 'system.log'), 'a');
  resources.defer(() => closeSync(output));
  const system = resources.use(
    await startSystem({
      config: { ...loadConfig(), dataDir: path.join(folder.path, 'data'), port: 0 },
      log: createLog('supervisor', 'silent'),
      output,
    }),
  );
  const platform = new Platform(system);
  const settings = { readiness: 'signal', fps };
  const { id } = await platform.createRecording({ classroom, settings });
  const watch = (isDone: (view: RecordingView) => boolean): Promise<RecordingView> =>
    platform.watch(id, { isDone, onSeen: () => undefined, timeoutMs: TIMEOUT_MS });
  await watch(({ state, originMs }) => state === 'recording' && originMs !== null);
  const ask = (what: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${system.url}/v1/recordings/${id}/${what}`, {
      ...init,
      headers: { authorization: `Bearer ${system.apiKey}`, 'content-type': 'application/json' },
    });
  const patch = async (what: string, body: unknown): Promise<number> =>
    (await ask(what, { method: 'PATCH', body: JSON.stringify(body) })).status;
  return {
    changeSources: (body) => patch('sources', body),
    changeLayout: (body) => patch('layout', body),
    report: async () => {
      const answer = await ask('report');
      return answer.ok ? ((await answer.json()) as QualityReport) : undefined;
    },
    finish: async () => {
      await platform.stopRecording(id);
      const ended = await watch(({ state }) => isFinal(state));
      if (ended.state === 'failed')
        throw new Error(await readFile(`${folder.path}/system.log`, 'utf8'));
      const out = path.join(folder.path, 'recording');
      await exportRecording(await openObjectStore(system.config), id, out);
      const report = JSON.parse(await readFile(`${out}/report.json`, 'utf8')) as QualityReport;
      return { playlist: `${out}/index.m3u8`, startMs: ended.originMs ?? NaN, report };
    },
  };
}
