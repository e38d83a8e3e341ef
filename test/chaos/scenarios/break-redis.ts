import { delay } from '../../../src/lifecycle.ts';
import { segmentStartMs } from '../../../src/model/grid.ts';
import type { Measurement } from '../../bench/measure.ts';
import type { ChaosScenario } from '../runner.ts';
import { atMost, NONE, row, runOnStage, type Promises, type Stage } from '../stage.ts';
import { isGrown, readPlaylist } from '../served-playlist.ts';
import { GOES_ON_TIMEOUT_MS, secondsSince, untilGoneOn } from './steps.ts';
import { waitUntil } from '../../support/wait-until.ts';

const AWAY_MS = 60_000;
/** Between two questions to the api while Redis is away. */
const ASK_EVERY_MS = 2_000;
/** An answer the api begins before Redis breaks may still be a good one. */
const SETTLED_MS = 1_000;
const UNAVAILABLE = 503;

/** A minute of segments to be published, on a busy machine. */
const BACKLOG_MS = 90_000;
/** Recorded after Redis is back: a lease's life, and some. */
const AFTER_MS = 10_000;

const NOTHING_LOST: Promises = { lostS: 0, takeovers: NONE };

/** kill -9 of Redis; started again after 60 s. */
export const redisDown: ChaosScenario = {
  about: 'Redis killed, and started again 60 s later',
  seconds: 110,
  run: (options) =>
    runOnStage({
      ...options,
      promises: NOTHING_LOST,
      disturb: (stage) =>
        whileAway(stage, {
          leave: () => stage.fleet.redis.kill(),
          comeBack: () => stage.fleet.redis.restart(),
        }),
    }),
};

/** SIGSTOP of Redis for 60 s: connections stay, answers do not come. */
export const redisFrozen: ChaosScenario = {
  about: 'Redis frozen for 60 s',
  seconds: 110,
  run: (options) =>
    runOnStage({
      ...options,
      promises: NOTHING_LOST,
      disturb: (stage) =>
        whileAway(stage, {
          leave: async () => stage.fleet.redis.signal('SIGSTOP'),
          comeBack: async () => stage.fleet.redis.signal('SIGCONT'),
        }),
    }),
};

/** FLUSHALL while recording. */
export const flushall: ChaosScenario = {
  about: 'FLUSHALL while recording; records and index come back from the store',
  seconds: 45,
  run: (options) => runOnStage({ ...options, promises: { lostS: 0 }, disturb: emptied }),
};

async function whileAway(
  stage: Stage,
  redis: { readonly leave: () => Promise<void>; readonly comeBack: () => Promise<void> },
): Promise<Measurement[]> {
  await redis.leave();
  const leftAtMs = Date.now();
  stage.say('Redis is away');
  const answers: { readonly status: number; readonly seconds: number }[] = [];
  await delay(SETTLED_MS);
  while (Date.now() < leftAtMs + AWAY_MS) {
    const askedAtMs = Date.now();
    for (const [method, link] of [
      ['GET', `/v1/recordings/${stage.lesson.id}`],
      ['POST', `/v1/recordings/${stage.lesson.id}/highlights`],
      ['GET', '/v1/recordings'],
    ] as const) {
      const body = method === 'POST' ? { body: '{"beforeMs":1000}' } : {};
      const sentAtMs = Date.now();
      const answer = await stage.fleet.request(link, { method, ...body });
      await answer.arrayBuffer();
      answers.push({ status: answer.status, seconds: secondsSince(sentAtMs) });
    }
    await delay(Math.max(0, askedAtMs + ASK_EVERY_MS - Date.now()));
  }
  await redis.comeBack();
  const backAtMs = Date.now();
  stage.say('Redis is back');
  const before = stage.lesson.seen.size;
  await waitUntil('segments to appear again', () => stage.lesson.seen.size > before, BACKLOG_MS);
  const publishedAfterS = secondsSince(backAtMs);
  // The backlog does not count, and nobody may take over belatedly.
  await waitUntil(
    'segments of afterwards',
    () => newestMs(stage) > backAtMs + AFTER_MS,
    BACKLOG_MS,
  );
  const wrong = answers.filter(({ status }) => status !== UNAVAILABLE);
  for (const { status } of wrong) stage.say(`the api answered ${status} without Redis`);
  return [
    row('api-not-503', 'answers', wrong.length, NONE),
    // It asks Redis for 5 s, at most twice in one request.
    row('api-slowest', 's', Math.max(...answers.map(({ seconds }) => seconds)), atMost(12)),
    row('published-again', 's', publishedAfterS),
  ];
}

/** When the newest segment that is served begins, Unix ms. */
function newestMs({ lesson }: Stage): number {
  const { entries, originMs } = readPlaylist(lesson.playlist());
  return segmentStartMs(entries.at(-1)?.n ?? 0, originMs);
}

async function emptied(stage: Stage): Promise<Measurement[]> {
  const { fleet, lesson } = stage;
  const link = `/v1/recordings/${lesson.id}`;
  const made = await fleet.request(`${link}/highlights`, {
    method: 'POST',
    body: '{"beforeMs":2000,"afterMs":1000}',
  });
  const { id: highlightId } = (await made.json()) as { id: string };
  const before = lesson.playlist();
  const emptiedAtMs = Date.now();
  await fleet.redis.client.flushall();
  stage.say('FLUSHALL');
  const isBack = async (): Promise<boolean> => {
    const recording = await lesson.find();
    const answer = await fleet.request(`${link}/index.m3u8`);
    const text = await answer.text();
    return recording !== undefined && answer.ok && isGrown(before, text);
  };
  await waitUntil('the recording to be back', isBack, GOES_ON_TIMEOUT_MS);
  const rebuiltS = secondsSince(emptiedAtMs);
  stage.say(`rebuilt after ${rebuiltS.toFixed(1)} s`);
  await untilGoneOn(stage);
  const highlight = await fleet.request(`/v1/highlights/${highlightId}`);
  await highlight.arrayBuffer();
  return [
    row('rebuilt', 's', rebuiltS, atMost(10)),
    row('highlights-lost', 'highlights', highlight.ok ? 0 : 1, NONE),
  ];
}
