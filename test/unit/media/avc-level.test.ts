import { describe, expect, it } from 'vitest';
import { avcCodecString, avcLevelIdc, avcMaxBitrate } from '../../../src/media/avc-level.ts';

// Worked out by hand from ITU-T H.264 table A-1: macroblocks a picture and a second, then MaxBR.
describe('the level of a size and rate', () => {
  it.each([
    [640, 360, 15, 22, 4_000_000],
    [640, 360, 30, 30, 10_000_000],
    [640, 360, 60, 31, 14_000_000],
    [1280, 720, 30, 31, 14_000_000],
    [720, 1280, 30, 31, 14_000_000],
    [1280, 720, 50, 32, 20_000_000],
    [1920, 1080, 30, 40, 20_000_000],
    [1920, 1080, 60, 42, 50_000_000],
    [64, 64, 10, 10, 64_000],
  ])(
    'is the lowest that allows it: %i×%i at %i fps',
    (width, height, fps, levelIdc, maxBitrate) => {
      expect(avcLevelIdc({ width, height, fps })).toBe(levelIdc);
      expect(avcMaxBitrate({ width, height, fps })).toBe(maxBitrate);
    },
  );

  it('stands at the end of the codec string, in two hexadecimal digits', () => {
    expect(avcCodecString({ width: 1280, height: 720, fps: 30 })).toBe('avc1.42e01f');
    expect(avcCodecString({ width: 64, height: 64, fps: 10 })).toBe('avc1.42e00a');
  });

  it('is refused beyond 5.1', () => {
    expect(() => avcLevelIdc({ width: 7680, height: 4320, fps: 60 })).toThrow(RangeError);
  });
});
