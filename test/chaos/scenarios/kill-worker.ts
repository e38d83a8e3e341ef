import type { Measurement } from '../../bench/measure.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { Aftermath } from '../aftermath.ts';
import { findChromes, type RunningChrome } from '../chromes.ts';
import type { ChaosScenario } from '../runner.ts';
import { countWrongBeeps, loudestAtJoins } from '../sound.ts';
import { atMost, joinsOf, NONE, row, runOnStage, type Stage } from '../stage.ts';
import { readPlaylist } from '../served-playlist.ts';
import { GOES_ON_TIMEOUT_MS, theChrome, untilGoneOn } from './steps.ts';

/** kill -9 of the worker that records. */
export const killWorker: ChaosScenario = {
  about: 'kill -9 of the worker that records; another one goes on',
  seconds: 40,
  run: (options) =>
    runOnStage({ ...options, promises: { lostS: 8, takeovers: { is: '==', value: 1 } }, disturb }),
};

async function disturb(stage: Stage): Promise<Measurement[]> {
  const { worker } = await theChrome(stage);
  const killedAtMs = Date.now();
  worker.kill('SIGKILL');
  stage.say(`killed ${worker.name}`);
  const next = await stage.owners.untilNext(killedAtMs, GOES_ON_TIMEOUT_MS);
  stage.say(`a new owner after ${next.atMs - killedAtMs} ms`);
  await untilGoneOn(stage);
  return [row('new-owner', 's', (next.atMs - killedAtMs) / 1000, atMost(4.5))];
}

/** A join in the class's silence is silent: louder than this (dBFS) it can be heard. AAC leaves −60 and less of a beep before it. */
const SILENT_DB = -50;

/** kill -9 of the worker whose lane is being served, of two. */
export const killWorkerRedundant: ChaosScenario = {
  about: 'two lanes, kill -9 of the worker whose lane is being served',
  seconds: 60,
  run: (options) =>
    runOnStage({
      ...options,
      settings: { redundancy: 2 },
      steadySegments: 6,
      promises: { lostS: 0, framesAtJoin: 1 },
      disturb: killLeader,
      judge,
    }),
};

async function killLeader(stage: Stage): Promise<Measurement[]> {
  const { fleet, lesson, owners, say } = stage;
  const both = async (): Promise<RunningChrome[] | false> => {
    const chromes = await findChromes(fleet, lesson.id);
    return chromes.length === 2 && chromes;
  };
  const chromes = await waitUntil('both lanes', both, GOES_ON_TIMEOUT_MS);
  await untilGoneOn(stage);
  const lane = Number(readPlaylist(lesson.playlist()).entries.at(-1)?.maker.split('-')[0]);
  const leader = owners.changes.findLast((change) => change.lane === lane);
  const chrome = chromes.find(({ worker }) => leader?.workerId.includes(String(worker.pid)));
  if (chrome === undefined) throw new Error(`Expected the worker of lane ${lane}`);
  chrome.worker.kill('SIGKILL');
  say(`killed ${chrome.worker.name}, which made lane ${lane}`);
  await untilGoneOn(stage);
  return [];
}

function judge(after: Aftermath): Measurement[] {
  const { originMs } = after.final;
  const joinsMs = joinsOf(after);
  const loudest = loudestAtJoins(after.pcm, { originMs, joinsMs });
  const beeps = countWrongBeeps(after.pcm, { originMs, absences: after.absences, openedMs: [] });
  return [
    ...(loudest === undefined ? [] : [row('sound-at-join', 'dBFS', loudest, atMost(SILENT_DB))]),
    row('beeps-missing-or-double', 'beeps', beeps, NONE),
  ];
}
