import { delay } from '../../../src/lifecycle.ts';
import type { Measurement } from '../../bench/measure.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { Aftermath } from '../aftermath.ts';
import { isAlive } from '../chromes.ts';
import { readEntries } from '../owners.ts';
import type { ChaosScenario } from '../runner.ts';
import { atMost, NONE, row, runOnStage, type Stage } from '../stage.ts';
import { GOES_ON_TIMEOUT_MS, secondsSince, theChrome, untilGoneOn } from './steps.ts';

const FROZEN_MS = 30_000;

/** SIGSTOP of the worker that records, SIGCONT after 30 s. */
export const zombie: ChaosScenario = {
  about: 'SIGSTOP of the worker that records, SIGCONT 30 s later',
  seconds: 70,
  run: async (options) => {
    let listed: ReadonlySet<string> = new Set();
    let zombieMaker = '';
    const disturb = async (stage: Stage): Promise<Measurement[]> => {
      const chrome = await theChrome(stage);
      const stoppedAtMs = Date.now();
      chrome.worker.kill('SIGSTOP');
      stage.say(`stopped ${chrome.worker.name}`);
      const next = await stage.owners.untilNext(stoppedAtMs, GOES_ON_TIMEOUT_MS);
      await untilGoneOn(stage);
      await delay(Math.max(0, stoppedAtMs + FROZEN_MS - Date.now()));
      const entries = await readEntries(stage.fleet.redis.client, stage.lesson.id);
      listed = new Set(entries.map(({ place }) => place.object.replace(/^.*\//, '')));
      zombieMaker = `${entries[0]?.lane ?? ''}-${entries[0]?.epoch ?? ''}`;
      const wokenAtMs = Date.now();
      chrome.worker.kill('SIGCONT');
      stage.say('woke it up');
      const isGone = async (): Promise<boolean> => !(await isAlive(chrome.pid));
      await waitUntil('the zombie to end its Chrome', isGone, GOES_ON_TIMEOUT_MS);
      const endedS = secondsSince(wokenAtMs);
      await untilGoneOn(stage);
      return [
        row('new-owner', 's', (next.atMs - stoppedAtMs) / 1000, atMost(4.5)),
        row('zombie-ended', 's', endedS, atMost(2)),
      ];
    };
    const judge = (after: Aftermath): Measurement[] => {
      const late = after.final.entries.filter(
        ({ isGap, maker, uri }) =>
          !isGap && maker === zombieMaker && !listed.has(uri.replace('segments/', '')),
      );
      return [row('zombie-published', 'segments', late.length, NONE)];
    };
    // While it is frozen others take over as after a death.
    const promises = { lostS: 8, takeovers: { is: '==', value: 1 } } as const;
    return runOnStage({ ...options, promises, disturb, judge });
  },
};
