import { withDeadline } from '../../../src/lifecycle.ts';
import type { Measurement } from '../../bench/measure.ts';
import type { RunningRole } from '../role-process.ts';
import type { ChaosScenario } from '../runner.ts';
import { NONE, row, runOnStage, type Promises, type Stage } from '../stage.ts';
import { GOES_ON_TIMEOUT_MS, secondsSince, theChrome, untilGoneOn } from './steps.ts';

/** A frame more or less where two Chromes meet. */
const PROMISES: Promises = { lostS: 0, framesAtJoin: 1 };

/** SIGTERM to the worker that records. */
export const drain: ChaosScenario = {
  about: 'SIGTERM to the worker that records; it hands over',
  seconds: 40,
  run: (options) =>
    runOnStage({
      ...options,
      promises: { ...PROMISES, takeovers: { is: '==', value: 1 } },
      disturb: async (stage) => {
        const { worker } = await theChrome(stage);
        const rows = await drainOne(stage, worker);
        await untilGoneOn(stage);
        return rows;
      },
    }),
};

/** A rolling restart: SIGTERM to every worker in turn, a new one in its place. */
export const rolling: ChaosScenario = {
  about: 'SIGTERM to all workers in turn, each replaced by a new one',
  seconds: 70,
  run: (options) =>
    runOnStage({
      ...options,
      promises: PROMISES,
      disturb: async (stage) => {
        const failures: Measurement[] = [];
        for (const worker of [...stage.fleet.workers()]) {
          failures.push(...(await drainOne(stage, worker)));
          await stage.fleet.startWorker();
          await untilGoneOn(stage);
        }
        return failures.filter(({ name }, i) => failures.findIndex((r) => r.name === name) === i);
      },
    }),
};

async function drainOne(stage: Stage, worker: RunningRole): Promise<Measurement[]> {
  const toldAtMs = Date.now();
  worker.kill('SIGTERM');
  stage.say(`SIGTERM to ${worker.name}`);
  const exit = await withDeadline(
    worker.exited,
    GOES_ON_TIMEOUT_MS,
    () => new Error(`${worker.name} did not end within ${GOES_ON_TIMEOUT_MS} ms of SIGTERM`),
  );
  const seconds = secondsSince(toldAtMs);
  stage.say(`it ended with ${exit.signal ?? String(exit.code)} after ${seconds.toFixed(1)} s`);
  return [row('worker-ended', 's', seconds), row('exit-code', 'code', exit.code ?? -1, NONE)];
}
