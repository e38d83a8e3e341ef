import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyClip } from '../../../src/verify/clip/verify-clip.ts';
import { findDecoder } from '../../../src/verify/decode.ts';
import type { RuleId } from '../../../src/verify/rules.ts';
import { rulesOf } from '../../unit/verify/fixture-recording.ts';
import { ffmpeg, PICTURE_ARGS } from './ffmpeg.ts';

let folder: string;
let clip: Buffer;
let slow: Buffer;
let fragmented: Buffer;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'verify-clip-'));
  const make = (name: string, ...args: string[]): Buffer => {
    const file = path.join(folder, name);
    ffmpeg([
      ...['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=30:d=3.2'],
      ...['-f', 'lavfi', '-i', 'sine=f=440:r=48000:d=3.2', '-ac', '2', '-c:a', 'aac'],
      ...[...PICTURE_ARGS, '-movie_timescale', '48000', ...args, file],
    ]);
    return readFileSync(file);
  };
  clip = make('clip.mp4', '-movflags', '+faststart');
  slow = make('slow.mp4');
  fragmented = make('fragmented.mp4', '-movflags', '+frag_keyframe+empty_moov');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('finds nothing in a fast-start clip with exact edits, and counts what it saw', async () => {
  const decode = await findDecoder();
  const { violations, summary } = await verifyClip(clip, { name: 'clip.mp4', decode });
  expect(violations).toEqual([]);
  expect(summary).toMatchObject({
    kind: 'clip',
    pictures: 96,
    width: 160,
    height: 90,
    decoded: true,
  });
});

test('knows a clip whose moov comes last', async () => {
  expect(rulesOf(await verifyClip(slow, { name: 'slow.mp4' }))).toEqual(['mp4-fast-start']);
});

test('knows a fragmented file', async () => {
  expect(rulesOf(await verifyClip(fragmented, { name: 'f.mp4' }))).toContain('mp4-boxes');
});

/** A copy with bytes written at `at` past the `nth` four letters `type`. */
function patched(type: string, nth: number, at: number, bytes: readonly number[]): Buffer {
  const copy = Buffer.from(clip);
  let found = -1;
  for (let count = 0; count <= nth; count += 1) found = copy.indexOf(type, found + 1, 'latin1');
  if (found < 0) throw new Error(`there is no ${type} ${nth}`);
  Buffer.from(bytes).copy(copy, found + 4 + at);
  return copy;
}

/** Offset of the first sample of pictures, from the first stco. */
const firstSample = () => clip.readUInt32BE(clip.indexOf('stco', 0, 'latin1') + 12);

function patchedSample(at: number, bytes: readonly number[]): Buffer {
  const copy = Buffer.from(clip);
  Buffer.from(bytes).copy(copy, firstSample() + at);
  return copy;
}

const DEFECTS: readonly (readonly [string, readonly RuleId[], () => Buffer])[] = [
  ['the file is cut short', ['mp4-boxes'], () => clip.subarray(0, -1000)],
  ['a box is too long', ['mp4-boxes'], () => patched('trak', 0, -8, [0x7f])],
  [
    'the sample entry is avc3',
    ['mp4-codec'],
    () => patched('avc1', 1, -4, [0x61, 0x76, 0x63, 0x33]),
  ],
  ['the sound is 44.1 kHz', ['mp4-codec'], () => patched('mp4a', 0, 24, [0xac, 0x44])],
  [
    'a sample duration is wrong',
    ['mp4-duration', 'mp4-edit'],
    () => patched('stts', 0, 12, [0, 0, 0, 1]),
  ],
  ['the media duration is wrong', ['mp4-duration'], () => patched('mdhd', 0, 16, [0, 1, 0, 0])],
  ['the track duration is wrong', ['mp4-duration'], () => patched('tkhd', 0, 20, [0, 1, 0, 0])],
  ['the movie duration is wrong', ['mp4-duration'], () => patched('mvhd', 0, 16, [0, 1, 0, 0])],
  [
    'a sample size is wrong',
    ['mp4-nal', 'mp4-tables'],
    () => patched('stsz', 0, 12, [0, 0, 0x7f, 0]),
  ],
  ['a chunk lies outside mdat', ['mp4-tables'], () => patched('stco', 1, 8, [0, 0, 0, 8])],
  ['stss lists no IDR', ['mp4-sync'], () => patched('stss', 0, 8, [0, 0, 0, 2])],
  [
    'the sound has no frame before the window',
    ['mp4-edit'],
    () => patched('elst', 1, 12, [0, 0, 0, 0]),
  ],
  ['an edit runs at half rate', ['mp4-edit'], () => patched('elst', 1, 16, [0, 0, 0x80, 0])],
  ['a NAL length is wrong', ['mp4-nal'], () => patchedSample(0, [0, 0x7f, 0, 0])],
  ['a NAL unit has no place', ['mp4-nal'], () => patchedSample(4, [0x7e])],
];

test.each(DEFECTS)('%s is caught as %j', async (_, rules, make) => {
  const found = rulesOf(await verifyClip(make(), { name: 'clip.mp4' }));
  expect(found).toEqual(expect.arrayContaining([rules[0]]));
  expect(rules).toEqual(expect.arrayContaining(found));
});
