import { createServer } from 'node:net';
import { startListening } from '../../../src/start-listening.ts';
import type { Measurement } from '../../bench/measure.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { isAlive } from '../chromes.ts';
import { openNamespace, type Namespace } from '../namespace.ts';
import { openResources } from '../resources.ts';
import type { ChaosScenario } from '../runner.ts';
import { atMost, row, runOnStage, type Stage } from '../stage.ts';
import { GOES_ON_TIMEOUT_MS, secondsSince, theChrome, untilGoneOn } from './steps.ts';

/** A worker in a network of its own, whose cable is pulled and put back. */
export const partition: ChaosScenario = {
  about: 'the worker that records cut off from Redis (network namespace), and joined again',
  seconds: 60,
  run: async (options) => {
    const resources = openResources();
    try {
      const network = resources.use(await openNamespace());
      const port = await freePort(network.address);
      return await runOnStage({
        ...options,
        address: { host: network.address, port },
        // The one that is cut off has a free slot when the recording is asked for, the other comes later.
        workers: [{ prefix: network.prefix }],
        promises: { lostS: 15, takeovers: { is: '==', value: 1 } },
        disturb: (stage) => disturb(stage, network),
      });
    } finally {
      await resources.close();
    }
  },
};

async function disturb(stage: Stage, network: Namespace): Promise<Measurement[]> {
  const chrome = await theChrome(stage);
  await stage.fleet.startWorker();
  await untilGoneOn(stage);
  const cutAtMs = Date.now();
  await network.cut();
  stage.say('pulled the cable');
  const next = await stage.owners.untilNext(cutAtMs, GOES_ON_TIMEOUT_MS);
  stage.say(`taken over after ${next.atMs - cutAtMs} ms`);
  await untilGoneOn(stage);
  await network.heal();
  const healedAtMs = Date.now();
  stage.say('put it back');
  const isGone = async (): Promise<boolean> => !(await isAlive(chrome.pid));
  await waitUntil('the one cut off to end its Chrome', isGone, GOES_ON_TIMEOUT_MS);
  const endedS = secondsSince(healedAtMs);
  await untilGoneOn(stage);
  return [
    row('taken-over', 's', (next.atMs - cutAtMs) / 1000, atMost(15)),
    row('cut-off-ended', 's', endedS),
  ];
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  const port = await startListening(server, { host, port: 0 });
  await new Promise((resolve) => server.close(resolve));
  return port;
}
