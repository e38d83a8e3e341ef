import { delay, withDeadline } from '../../../src/lifecycle.ts';
import type { Measurement } from '../../bench/measure.ts';
import type { ChaosScenario } from '../runner.ts';
import { row, runOnStage, type Stage } from '../stage.ts';
import { GOES_ON_TIMEOUT_MS, secondsSince, theChrome, untilGoneOn } from './steps.ts';

const RESTARTS = 20;
const LENGTH_MS = 600_000;
/** Every other one is a kill, which may lose 8 s; a drain loses nothing. */
const LOST_BOUND_S = (RESTARTS / 2) * 8;

/** The worker that records is restarted 20 times in 10 min, by SIGTERM and kill -9 in turn. */
export const restarts: ChaosScenario = {
  about: 'the worker that records restarted 20 times in 10 min, every other time by kill -9',
  seconds: 650,
  maxRuns: 1,
  run: (options) => runOnStage({ ...options, promises: { lostS: LOST_BOUND_S }, disturb }),
};

async function disturb(stage: Stage): Promise<Measurement[]> {
  const begunAtMs = Date.now();
  for (let i = 0; i < RESTARTS; i += 1) {
    const { worker } = await theChrome(stage);
    const signal = i % 2 === 0 ? 'SIGTERM' : 'SIGKILL';
    stage.say(`restart ${i + 1}: ${signal} to ${worker.name}`);
    worker.kill(signal);
    await withDeadline(
      worker.exited,
      GOES_ON_TIMEOUT_MS,
      () => new Error(`${worker.name} did not end`),
    );
    await stage.fleet.startWorker();
    await untilGoneOn(stage);
    await delay(Math.max(0, begunAtMs + ((i + 1) * LENGTH_MS) / RESTARTS - Date.now()));
  }
  return [row('length', 's', secondsSince(begunAtMs)), row('restarts', 'times', RESTARTS)];
}
