import { expect, test } from 'vitest';
import { crc32Mpeg } from '../../../src/verify/transport/crc32.ts';
import { clockBetween, ticksBetween } from '../../../src/verify/ticks.ts';
import { BitReader } from '../../../src/verify/video/bits.ts';
import { findLevelExcess } from '../../../src/verify/video/level.ts';
import { createOrderCheck } from '../../../src/verify/video/order.ts';
import { parseSps, type Sps } from '../../../src/verify/video/sps.ts';
import { rbspOf, readNalUnit } from '../../../src/verify/video/nal.ts';
import { writeSps } from './sps-writer.ts';

const spsOf = (changes: Parameters<typeof writeSps>[0]): Sps =>
  parseSps(new BitReader(rbspOf(readNalUnit(writeSps(changes)))));

test('computes the CRC-32 of MPEG-2 as its check value says', () => {
  expect(crc32Mpeg(Buffer.from('123456789'))).toBe(0x0376e6e7);
});

test('measures ways across the wrap of PTS and PCR', () => {
  expect(ticksBetween(2 ** 33 - 10, 20)).toBe(30);
  expect(ticksBetween(20, 2 ** 33 - 10)).toBe(-30);
  expect(clockBetween((2 ** 33 - 1) * 300, 300)).toBe(600);
});

test.each([
  ['1280×720 at 30 fps', { widthMbs: 80, heightMbs: 45 }, 30, 31],
  ['720×1280 at 30 fps', { widthMbs: 45, heightMbs: 80 }, 30, 31],
  ['1280×720 at 60 fps', { widthMbs: 80, heightMbs: 45 }, 60, 32],
  ['640×360 at 30 fps', { widthMbs: 40, heightMbs: 23 }, 30, 30],
  ['1920×1088 at 30 fps', { widthMbs: 120, heightMbs: 68 }, 30, 40],
  ['1920×1088 at 60 fps', { widthMbs: 120, heightMbs: 68 }, 60, 42],
])('asks for the least level that allows %s', (_, size, fps, level) => {
  const levels = [10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50];
  const least = levels.find((idc) => !findLevelExcess(spsOf({ ...size, level: idc }), fps));
  expect(least).toBe(level);
});

test('follows picture order counts of type 0 across the wrap of their low bits', () => {
  const sps = { ...spsOf({}), pocType: 0, pocLsbBits: 4 };
  const sets = {
    sps: new Map([[0, sps]]),
    pps: new Map([
      [0, { id: 0, spsId: 0, cabac: false, picOrderPresent: false, refCounts: [1, 1] as const,
        weightedPrediction: false, initQp: 26, deblockingControl: false, redundantPictures: false }],
    ]),
  }; // prettier-ignore
  const check = createOrderCheck();
  const picture = (at: number, pocLsb = (at * 2) % 16) =>
    check({ isIdr: at === 0, isReference: true, firstMb: 0, type: 0, ppsId: 0, frameNum: at % 16, pocLsb }, sets); // prettier-ignore
  for (let at = 0; at < 40; at += 1) picture(at);
  expect(() => {
    picture(40, 76 % 16);
  }).toThrow('does not rise');
});
