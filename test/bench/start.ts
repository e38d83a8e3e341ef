import { mkdtemp, rm } from 'node:fs/promises';
import { closeSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startClassroomProcess } from '../../src/cli/demo/classroom-process.ts';
import { Platform } from '../../src/cli/demo/platform.ts';
import { startSystem } from '../../src/cli/supervisor.ts';
import { loadConfig } from '../../src/config.ts';
import { Resources } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import { isFinal } from '../../src/model/recording.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import type { Scenario } from './runner.ts';

const RUNS = 5;
const TIMEOUT_MS = 30_000;

/** From a platform's POST to the first picture of the demo classroom, and from a stop's boundary to `completed`. */
export const startBench: Scenario = {
  about: 'seconds from POST to first picture, and from the boundary after a stop to completed',
  run: async () => {
    const resources = new Resources();
    try {
      const dataDir = await mkdtemp(path.join(tmpdir(), 'chalkreel-bench-'));
      resources.defer(() => rm(dataDir, { recursive: true, force: true }));
      const output = openSync(path.join(dataDir, 'system.log'), 'a');
      resources.defer(() => {
        closeSync(output);
      });
      const config = { ...loadConfig(), dataDir, port: 0 };
      const system = resources.use(
        await startSystem({ config, log: createLog('supervisor', 'warn'), output }),
      );
      const demo = { dataDir: path.join(dataDir, 'demo'), output };
      const { classroom } = resources.use(await startClassroomProcess(demo));
      const platform = new Platform(system);
      const samples = [];
      for (let run = 0; run < RUNS; run++) samples.push(await recordOnce(platform, classroom));
      return [
        {
          name: 'post-to-first-picture',
          unit: 's',
          samples: samples.map(({ startSeconds }) => startSeconds),
          bound: { is: '<=', value: 3 },
        },
        {
          name: 'boundary-to-completed',
          unit: 's',
          samples: samples.map(({ endSeconds }) => endSeconds),
          bound: { is: '<=', value: 2 },
        },
      ];
    } finally {
      await resources.close();
    }
  },
};

async function recordOnce(
  platform: Platform,
  classroom: unknown,
): Promise<{ readonly startSeconds: number; readonly endSeconds: number }> {
  const wait = { onSeen: () => undefined, timeoutMs: TIMEOUT_MS };
  const postedAtMs = Date.now();
  const { id } = await platform.createRecording({ classroom, settings: { readiness: 'signal' } });
  const begun = await platform.watch(id, {
    ...wait,
    isDone: ({ state, originMs }) => state === 'recording' && originMs !== null,
  });
  await platform.stopRecording(id);
  const ended = await platform.watch(id, { ...wait, isDone: ({ state }) => isFinal(state) });
  const endedAtMs = ended.history.at(-1)?.atMs ?? NaN;
  const boundaryMs = (begun.originMs ?? NaN) + (ended.progress?.segments ?? NaN) * SEGMENT_MS;
  const firstPictureMs = (begun.originMs ?? NaN) + (begun.leadInMs ?? NaN);
  return {
    startSeconds: (firstPictureMs - postedAtMs) / 1000,
    endSeconds: (endedAtMs - boundaryMs) / 1000,
  };
}
