import { expect, test } from 'vitest';
import { buildRecording, verifyRecording } from './fixture-recording.ts';
import { differsInPayloadOnly, meaningOf, playsTheSame } from './meaning.ts';
import { createRandom, mutate } from './mutate.ts';

/** Of each kind of recording; the integration test does a thousand. */
const MUTATIONS = 100;
/** A mutation takes about 10 ms; thirty times that on a busy machine. */
const DEADLINE_MS = MUTATIONS * 300;
const KINDS = [
  { kind: 'pictures and sound', hasVideo: true },
  { kind: 'sound alone', hasVideo: false },
];
/** Fixed, so that a red run can be repeated; any other must do as well. */
const SEED = 20_260_311;

/**
 * Harmless means: an independent, lenient reader gets the same playlist, the same time stamps and the same bytes of
 * elementary stream. What changes only bytes inside a picture's or a sound frame's coded data may still be a valid stream that
 * shows something else; no one can tell from outside without a reference, so there the report of the whole stream is the judge
 * (content-changed). How many of those ffmpeg notices is the integration test's.
 */
test.each(KINDS)(
  `names or proves harmless each of ${MUTATIONS} random mutations of $kind, seed ${SEED}`,
  async ({ kind, hasVideo }) => {
    const whole = buildRecording((plans) => {
      for (const plan of plans) plan.hasVideo = hasVideo;
    });
    const meaning = meaningOf(whole);
    const { digests } = (await verifyRecording(whole)).summary;
    const random = createRandom(SEED);
    const counts = { byRule: 0, byReference: 0, harmless: 0 };
    const missed: string[] = [];
    for (let round = 0; round < MUTATIONS; round += 1) {
      const { what, recording } = mutate(whole, random);
      const { violations } = await verifyRecording(recording, { expected: digests });
      const mutated = meaningOf(recording);
      if (violations.some(({ rule }) => rule !== 'content-changed')) counts.byRule += 1;
      else if (playsTheSame(meaning, mutated)) counts.harmless += 1;
      else if (violations.length > 0 && differsInPayloadOnly(meaning, mutated))
        counts.byReference += 1;
      else missed.push(what);
    }
    console.log(`${kind}, seed ${SEED}:`, counts);
    expect(missed).toEqual([]);
    expect(counts.byRule).toBeGreaterThan(MUTATIONS / 2);
  },
  DEADLINE_MS,
);
