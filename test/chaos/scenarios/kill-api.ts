import { delay } from '../../../src/lifecycle.ts';
import type { Measurement } from '../../bench/measure.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { ChaosScenario } from '../runner.ts';
import { NONE, row, runOnStage, type Stage } from '../stage.ts';
import { GOES_ON_TIMEOUT_MS, untilGoneOn } from './steps.ts';

const TRIGGER_EVERY_MS = 400;
/** The api is killed with this one on its way, and started again some later. */
const KILLED_AT = 5;
const RESTARTED_AT = 9;
/** Fired once it is back. */
const TRIGGERS_AFTER = 5;
/** A trigger that gets no answer for this long was swallowed. */
const ANSWER_TIMEOUT_MS = 15_000;
const CLIP_TIMEOUT_MS = 90_000;

type Outcome = 'answered' | 'refused' | 'silent';

/** kill -9 of the api while triggers are fired; a new one comes at its place. */
export const killApi: ChaosScenario = {
  about: 'the api killed and started again while highlights are triggered',
  seconds: 60,
  run: (options) =>
    runOnStage({
      ...options,
      withHighlight: true,
      workers: [{}],
      promises: { lostS: 0, takeovers: NONE },
      disturb,
    }),
};

async function disturb(stage: Stage): Promise<Measurement[]> {
  const fired: Promise<{ readonly triggerId: string; readonly outcome: Outcome }>[] = [];
  const fire = async (): Promise<void> => {
    fired.push(trigger(stage, `trigger-${fired.length}`));
    await delay(TRIGGER_EVERY_MS);
  };
  const api = { isBack: false };
  let restart: Promise<void> | undefined;
  while (!api.isBack) {
    const firing = fire();
    if (fired.length === KILLED_AT) {
      stage.fleet.api().kill('SIGKILL');
      stage.say('killed the api');
    }
    if (fired.length === RESTARTED_AT) {
      restart = stage.fleet.restartApi().finally(() => {
        api.isBack = true;
      });
    }
    await firing;
  }
  await restart;
  stage.say('the api is back');
  for (let i = 0; i < TRIGGERS_AFTER; i += 1) await fire();
  const outcomes = await Promise.all(fired);
  stage.say(outcomes.map(({ outcome }) => outcome[0]).join(''));
  // Who was refused tries again; whatever became of the first try, it is one highlight.
  const again = await Promise.all(
    outcomes
      .filter(({ outcome }) => outcome === 'refused')
      .map(({ triggerId }) => trigger(stage, triggerId)),
  );
  const missing = new Set(outcomes.map(({ triggerId }) => triggerId));
  const isMade = async (): Promise<boolean> => {
    for (const { triggerId, state } of await highlights(stage))
      if (state === 'completed') missing.delete(triggerId);
    return missing.size === 0;
  };
  await waitUntil('all clips', isMade, CLIP_TIMEOUT_MS).catch(() => undefined);
  const ids = (await highlights(stage)).map(({ triggerId }) => triggerId);
  await untilGoneOn(stage);
  const count = (wanted: Outcome): number =>
    outcomes.filter(({ outcome }) => outcome === wanted).length;
  return [
    row('triggers-answered', 'triggers', count('answered')),
    row('triggers-refused', 'triggers', count('refused')),
    row(
      'triggers-refused-again',
      'triggers',
      again.filter(({ outcome }) => outcome !== 'answered').length,
      NONE,
    ),
    row('triggers-swallowed', 'triggers', count('silent') + missing.size, NONE),
    row('highlights-made-twice', 'highlights', ids.length - new Set(ids).size, NONE),
  ];
}

async function trigger(
  { fleet, lesson }: Stage,
  triggerId: string,
): Promise<{ readonly triggerId: string; readonly outcome: Outcome }> {
  try {
    const answer = await fleet.request(`/v1/recordings/${lesson.id}/highlights`, {
      method: 'POST',
      body: JSON.stringify({ triggerId, beforeMs: 2000, afterMs: 0 }),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    await answer.arrayBuffer();
    return { triggerId, outcome: answer.ok ? 'answered' : 'refused' };
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === 'TimeoutError';
    // A connection refused or broken tells who triggers that it must be tried again.
    return { triggerId, outcome: isTimeout ? 'silent' : 'refused' };
  }
}

async function highlights({
  fleet,
  lesson,
}: Stage): Promise<readonly { readonly triggerId: string; readonly state: string }[]> {
  return waitUntil(
    'the list of highlights',
    async () => {
      const answer = await fleet
        .request(`/v1/recordings/${lesson.id}/highlights`)
        .catch(() => undefined);
      if (answer?.ok !== true) return undefined;
      const list = (await answer.json()) as {
        highlights: { triggerId: string; state: string }[];
      };
      return list.highlights;
    },
    GOES_ON_TIMEOUT_MS,
  );
}
