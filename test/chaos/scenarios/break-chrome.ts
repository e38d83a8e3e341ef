import type { ChaosScenario } from '../runner.ts';
import { row, runOnStage, type Stage } from '../stage.ts';
import { isAlive } from '../chromes.ts';
import { theChrome, untilGoneOn } from './steps.ts';

/** kill -9 of the Chrome that records. */
export const killChrome: ChaosScenario = {
  about: 'kill -9 of the Chrome that records',
  seconds: 35,
  run: (options) =>
    runOnStage({
      ...options,
      promises: { lostS: 4.8 },
      disturb: async (stage: Stage) => {
        const { pid } = await theChrome(stage);
        process.kill(pid, 'SIGKILL');
        stage.say('killed Chrome');
        await untilGoneOn(stage);
        return [];
      },
    }),
};

/** SIGSTOP of the whole Chrome that records: nothing tells that it is gone. */
export const stopChrome: ChaosScenario = {
  about: 'SIGSTOP of the Chrome that records, with all its processes',
  seconds: 40,
  run: (options) =>
    runOnStage({
      ...options,
      promises: { lostS: 8 },
      disturb: async (stage: Stage) => {
        const { pid } = await theChrome(stage);
        process.kill(-pid, 'SIGSTOP');
        stage.say('stopped Chrome');
        await untilGoneOn(stage);
        const left = (await isAlive(pid)) ? 1 : 0;
        return [row('frozen-chrome-left', 'processes', left, { is: '==', value: 0 })];
      },
    }),
};
