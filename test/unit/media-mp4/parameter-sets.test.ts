import { describe, expect, it } from 'vitest';
import { parsePpsId, parseSps } from '../../../src/media/mp4/parameter-sets.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('parseSps', () => {
  // Written by x264; the second has cropping, the chroma fields of high profile and emulation prevention.
  it.each([
    ['6742c01fd9005005bb016a02020280000003008000001e078c1924', 0, 66, 31, 1280, 720],
    ['6764002832cd940780227e5c05a808080a000003000200000300781e30632c', 5, 100, 40, 1920, 1080],
    ['674d400d041b282833f3e02d40404050000003001000000303c0f1429960', 31, 77, 13, 320, 180],
    ['67640028acd9404403c797c05a808080a0000003002000000781e30632c0', 0, 100, 40, 1080, 1920],
  ])(
    'reads id, profile, level and cropped size of %s',
    (hex, id, profileIdc, levelIdc, width, height) => {
      expect(parseSps(bytes(hex))).toEqual({ id, profileIdc, levelIdc, width, height });
    },
  );

  it('refuses a set that ends early', () => {
    expect(() => parseSps(bytes('6742c01f'))).toThrow(/expected more than 4 bytes/);
  });
});

describe('parsePpsId', () => {
  it.each([
    ['68cb83cb20', 0],
    ['6831abe3cb22c0', 5],
    ['68040082be3cb2', 31],
  ])('reads the id of %s', (hex, id) => {
    expect(parsePpsId(bytes(hex))).toBe(id);
  });
});
