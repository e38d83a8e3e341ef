import { expect, test } from 'vitest';
import { findDecoder } from '../../../src/verify/decode.ts';
import {
  buildRecording,
  verifyRecording,
  type Recording,
} from '../../unit/verify/fixture-recording.ts';
import { differsInPayloadOnly, meaningOf, playsTheSame } from '../../unit/verify/meaning.ts';
import { createRandom, mutate, type Mutation } from '../../unit/verify/mutate.ts';
import { decodedHashes } from './ffmpeg.ts';

const MUTATIONS = 1000;
/** Fixed, so that a red run can be repeated; any other must do as well. */
const SEED = 20_260_312;
/** 10 ms to check each, 100 ms to decode each of some 60; five times that on a busy machine. */
const DEADLINE_MS = 90_000;

/**
 * Each mutation ends in one of five heaps. `byRule`: the checker names it without decoding. `byDecoder`: ffmpeg complains.
 * `harmless`: same playlist, same time stamps, same elementary streams; or other bytes that decode to the same pictures and
 * sound. `byReference`: a valid stream that shows or sounds different; nobody can know without a reference, and the report of the
 * whole stream, given with --expect, names it (content-changed). `missed`: anything else; there must be none.
 */
test(
  `names or proves harmless each of ${MUTATIONS} random mutations, seed ${SEED}`,
  async () => {
    const decode = await findDecoder();
    const whole = buildRecording();
    const meaning = meaningOf(whole);
    const { digests } = (await verifyRecording(whole)).summary;
    const random = createRandom(SEED);
    const heaps = { byRule: 0, byDecoder: 0, harmless: 0, byReference: 0 };
    const missed: string[] = [];

    const judge = async ({ what, uri, recording }: Mutation): Promise<void> => {
      if ((await verifyRecording(recording)).violations.length > 0) heaps.byRule += 1;
      else if (playsTheSame(meaning, meaningOf(recording))) heaps.harmless += 1;
      else if (await decode?.(segmentOf(recording, uri), 'mpegts')) heaps.byDecoder += 1;
      else if (hashesOf(recording, uri) === hashesOf(whole, uri)) heaps.harmless += 1;
      else {
        const { violations } = await verifyRecording(recording, { expected: digests });
        const isNamed = violations.some(({ rule }) => rule === 'content-changed');
        const isPayload = differsInPayloadOnly(meaning, meaningOf(recording));
        if (isNamed && isPayload) heaps.byReference += 1;
        else missed.push(what);
      }
    };
    for (let round = 0; round < MUTATIONS; round += 1) await judge(mutate(whole, random));

    console.log(`seed ${SEED}:`, heaps);
    expect(missed).toEqual([]);
    expect(heaps.byDecoder).toBeGreaterThan(0);
  },
  DEADLINE_MS,
);

function segmentOf({ segments }: Recording, uri: string | undefined): Buffer[] {
  return [segments.get(uri ?? '') ?? Buffer.alloc(0)];
}

const known = new Map<Buffer, string>();

/** Hashes of what a segment decodes to, asked for once only. */
function hashesOf(recording: Recording, uri: string | undefined): string {
  const [segment = Buffer.alloc(0)] = segmentOf(recording, uri);
  const hashes = known.get(segment) ?? decodedHashes(segment);
  known.set(segment, hashes);
  return hashes;
}
