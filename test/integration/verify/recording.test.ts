import { beforeAll, expect, test } from 'vitest';
import { findDecoder, type Decode } from '../../../src/verify/decode.ts';
import { buildRecording, rulesOf, verifyRecording } from '../../unit/verify/fixture-recording.ts';
import { planSegment, readAccessUnits, readAdtsFrames } from '../../unit/verify/fixture-stream.ts';
import { ffmpeg, PICTURE_ARGS } from './ffmpeg.ts';

let source: { fixturePictures: readonly Buffer[][]; fixtureSound: readonly Buffer[] };
let decode: Decode;

beforeAll(async () => {
  const pictures = ffmpeg([
    ...['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=30:d=4.8', ...PICTURE_ARGS],
    ...['-bsf:v', 'filter_units=remove_types=6|9', '-f', 'h264', '-'],
  ]);
  const sound = ffmpeg([
    ...['-f', 'lavfi', '-i', 'sine=f=440:r=48000:d=5', '-ac', '2'],
    ...['-c:a', 'aac', '-b:a', '96k', '-f', 'adts', '-'],
  ]);
  source = { fixturePictures: readAccessUnits(pictures), fixtureSound: readAdtsFrames(sound) };
  const found = await findDecoder();
  if (!found) throw new Error('ffmpeg cannot be started');
  decode = found;
});

const parts = () => [0, 1, 2].map((part) => planSegment(part, part, source));

test('finds nothing in a stream of main profile with cropping, decoded as a whole', async () => {
  const recording = buildRecording((plans) => plans.splice(0, 3, ...parts()));
  const { violations, summary } = await verifyRecording(recording, { decode });
  expect(violations).toEqual([]);
  expect(summary).toMatchObject({ width: 160, height: 90, fps: 30, decoded: true });
});

test('decodes across empty slots and the wrap of PTS without a complaint', async () => {
  const ptsOrigin = 2 ** 33 - 200_000;
  const recording = buildRecording((plans) => {
    plans.splice(0, 3, ...parts());
    for (const plan of plans) {
      plan.ptsOrigin = ptsOrigin;
      plan.pictures = plan.pictures.slice(0, 10);
      for (const [at, picture] of plan.pictures.entries()) {
        picture.slot = at < 8 ? at * 6 : 38 + at;
      }
    }
  });
  expect((await verifyRecording(recording, { decode, ptsOrigin })).violations).toEqual([]);
});

test('names the segment whose coded data the decoder refuses', async () => {
  const recording = buildRecording((plans) => {
    plans.splice(0, 3, ...parts());
    const slice = plans[1]?.pictures[0]?.nals.at(-1);
    // Coded data of the IDR, well behind its header, with no pattern that the parser forbids.
    if (slice) plans[1]?.pictures[0]?.nals.splice(-1, 1, scrambled(slice));
  });
  const report = await verifyRecording(recording, { decode });
  expect(rulesOf(report)).toEqual(['decode']);
  expect(report.violations.map(({ segment }) => segment)).toEqual(['segment-1.ts']);
  expect(rulesOf(await verifyRecording(recording))).toEqual([]);
});

function scrambled(slice: Buffer): Buffer {
  const copy = Buffer.from(slice);
  for (let at = 200; at < copy.length - 10; at += 1) copy[at] = 0x80 | ((at * 37) & 0x7f);
  return copy;
}
