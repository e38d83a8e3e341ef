import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitReader } from '../../../src/media/bit-reader.ts';
import { parsePps, parseSps } from '../../../src/media/h264-parameter-sets.ts';

describe('parseSps', () => {
  /** Written by x264; the expected values are those of ffmpeg's trace_headers filter. */
  it.each([
    [
      'baseline 720p, BT.709 in limited range',
      '6742c01fd9005005bb016a02020280000003008000001e078c1924',
      {
        id: 0,
        profileIdc: 66,
        constraints: 0xc0,
        levelIdc: 31,
        log2MaxFrameNum: 4,
        pocType: 2,
        maxReferenceFrames: 3,
        width: 1280,
        height: 720,
        colour: { primaries: 1, transfer: 1, matrix: 1 },
        isFullRange: false,
        hasTiming: true,
      },
    ],
    [
      'high 1080p in full range, cropped from 1088 lines',
      '67640028acd940780227e5c05b20000003002000000781e30632c0',
      {
        profileIdc: 100,
        levelIdc: 40,
        pocType: 0,
        maxReferenceFrames: 4,
        width: 1920,
        height: 1080,
        colour: undefined,
        isFullRange: true,
        hasTiming: true,
      },
    ],
    [
      'high 4:4:4, cropped by odd units',
      '67f4000d919b282a33c7c5e022000003000200000300781e28532c',
      { profileIdc: 244, width: 322, height: 182, isFullRange: undefined, colour: undefined },
    ],
    [
      'high 4:2:2 in fields, under another id',
      '677a001e23cd940a07b60620000003002000000783e28532c0',
      { id: 3, profileIdc: 122, width: 640, height: 480 },
    ],
  ])('reads %s', (_, hex, expected) => {
    expect(parseSps(Buffer.from(hex, 'hex'))).toMatchObject(expected);
  });

  it('finds its way past scaling lists, the other picture order types and a VUI without anything', () => {
    const list = `1${se(4)}${se(0).repeat(14)}${se(-3)}`;
    const endedList = `1${se(-8)}`;
    const scaling = `1${list}${endedList}${'0'.repeat(5)}1${se(-8)}`;
    const poc = `${ue(1)}0${se(2)}${se(-1)}${ue(2)}${se(5)}${se(-5)}`;
    const size = `${ue(39)}${ue(29)}11`;
    const crop = `1${ue(0)}${ue(1)}${ue(0)}${ue(3)}`;
    const vui = `1${'0'.repeat(5)}`;
    const bits = `${ue(31)}${ue(1)}${ue(0)}${ue(0)}0${scaling}${ue(12)}${poc}${ue(1)}0${size}${crop}${vui}1`;

    expect(parseSps(nal(0x67, [100, 0, 30], bits))).toEqual({
      id: 31,
      profileIdc: 100,
      constraints: 0,
      levelIdc: 30,
      log2MaxFrameNum: 16,
      pocType: 1,
      maxReferenceFrames: 1,
      width: 638,
      height: 474,
      colour: undefined,
      isFullRange: undefined,
      hasTiming: false,
    });
  });

  it.each([
    ['68ce3c80', /SPS \(NAL type 7\), got type 8/],
    ['6742c01fd9', /whole H.264 SPS, got 5 bytes/],
    ['', /got type -1/],
  ])('refuses %s', (hex, message) => {
    expect(() => parseSps(Buffer.from(hex, 'hex'))).toThrow(
      expect.objectContaining({
        code: 'media-invalid',
        message: expect.stringMatching(message) as string,
      }),
    );
  });
});

describe('parsePps', () => {
  it('reads ids and entropy coding', () => {
    expect(parsePps(Buffer.from('68cb83cb20', 'hex'))).toEqual({
      id: 0,
      spsId: 0,
      isCabac: false,
    });
    expect(parsePps(nal(0x68, [], `${ue(7)}${ue(31)}1`))).toEqual({
      id: 7,
      spsId: 31,
      isCabac: true,
    });
  });

  it('refuses one cut off', () => {
    expect(() => parsePps(Uint8Array.of(0x68))).toThrow(/whole H.264 PPS, got 1 bytes/);
  });
});

describe('BitReader', () => {
  it('reads back Exp-Golomb codes', () => {
    const codes = fc.array(fc.integer({ min: -(2 ** 20), max: 2 ** 20 }));
    fc.assert(
      fc.property(codes, (values) => {
        const bits = values.map((value) => `${se(value)}${ue(Math.abs(value))}`).join('');
        const reader = new BitReader(nal(0xff, [], bits).subarray(1));

        for (const value of values)
          expect([reader.se(), reader.ue()]).toEqual([value, Math.abs(value)]);
      }),
    );
  });

  it('leaves out emulation prevention bytes, and those alone', () => {
    const reader = new BitReader(Uint8Array.of(0, 0, 3, 0, 0, 3, 3, 1, 0, 3));
    const values = Array.from({ length: 8 }, () => reader.bits(8));

    expect(values).toEqual([0, 0, 0, 0, 3, 1, 0, 3]);
    expect(() => reader.bits(1)).toThrow(RangeError);
  });
});

function ue(value: number): string {
  const bits = (value + 1).toString(2);
  return '0'.repeat(bits.length - 1) + bits;
}

function se(value: number): string {
  return ue(value > 0 ? 2 * value - 1 : -2 * value);
}

function bytesOf(bits: string): Uint8Array {
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
  return Uint8Array.from(padded.match(/.{8}/g) ?? [], (byte) => parseInt(byte, 2));
}

/** A NAL unit with emulation prevention, as encoders write it. */
function nal(header: number, head: readonly number[], bits: string): Uint8Array {
  const out: number[] = [];
  for (const byte of [header, ...head, ...bytesOf(bits)]) {
    if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3);
    out.push(byte);
  }
  return Uint8Array.from(out);
}
