import { chmod, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { findChromium } from '../../../src/chromium.ts';
import { loadConfig } from '../../../src/config.ts';
import type { Measurement } from '../../bench/measure.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import type { Aftermath } from '../aftermath.ts';
import { misplacedMs } from '../lost-time.ts';
import { openResources } from '../resources.ts';
import type { ChaosScenario } from '../runner.ts';
import { atMost, NONE, row, runOnStage, type Stage } from '../stage.ts';
import { theChrome, untilGoneOn } from './steps.ts';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
/** A recording does not begin under a clock known worse than this; a segment farther off is misplaced. */
const MISPLACED_MS = 100;

/** A worker whose system clock is 2 s ahead and then steps back by 4 s; another one takes over from it. */
export const clock: ChaosScenario = {
  about:
    "a worker's clock 2 s ahead, then 2 s behind, then its place taken by one with a true clock",
  seconds: 45,
  run: async (options) => {
    const resources = openResources();
    try {
      const folder = resources.use(await makeTempFolder('clock')).path;
      const lie = path.join(folder, 'clock');
      await writeFile(lie, '+2s');
      return await runOnStage({
        ...options,
        workers: [{ environment: await lyingEnvironment(folder, lie) }],
        promises: { lostS: 8 },
        disturb: (stage) => disturb(stage, lie),
        judge,
      });
    } finally {
      await resources.close();
    }
  },
};

async function disturb(stage: Stage, lie: string): Promise<Measurement[]> {
  const { worker } = await theChrome(stage);
  await writeFile(lie, '-2s');
  stage.say('its clock stepped back by 4 s');
  await untilGoneOn(stage);
  await stage.fleet.startWorker();
  worker.kill('SIGKILL');
  stage.say(`killed ${worker.name}`);
  await untilGoneOn(stage);
  return [];
}

function judge({ shown, final }: Aftermath): Measurement[] {
  const errors = [...misplacedMs(shown, final.originMs).values()].map(Math.abs);
  const misplaced = errors.filter((ms) => ms > MISPLACED_MS).length;
  return [
    row('misplaced', 'segments', misplaced, NONE),
    row('worst-place', 'ms', Math.max(...errors), atMost(MISPLACED_MS)),
  ];
}

/**
 * Only Node is lied to, and only about the time of day: Chrome draws the class, whose clock is what everything is compared with, and
 * monotonic time is the same on one machine whatever its clock says.
 */
async function lyingEnvironment(folder: string, lie: string): Promise<NodeJS.ProcessEnv> {
  if (!existsSync(LIBRARY))
    throw new Error(`Expected libfaketime at ${LIBRARY} (Debian: faketime)`);
  const chromium = path.join(folder, 'chromium');
  const real = findChromium(loadConfig());
  await writeFile(chromium, `#!/bin/sh\nunset LD_PRELOAD\nexec '${real}' "$@"\n`);
  await chmod(chromium, 0o755);
  return {
    LD_PRELOAD: LIBRARY,
    FAKETIME_TIMESTAMP_FILE: lie,
    FAKETIME_NO_CACHE: '1',
    DONT_FAKE_MONOTONIC: '1',
    CHALKREEL_CHROMIUM: chromium,
  };
}
