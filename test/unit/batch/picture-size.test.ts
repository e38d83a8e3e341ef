import { describe, expect, it } from 'vitest';
import { planPictureSize } from '../../../src/batch/chunk/picture-size.ts';

describe('planPictureSize', () => {
  it.each([
    ['keeps the source where the profile is as large', 720, false, [1280, 720], [1280, 720]],
    ['never goes above the source', 1080, false, [1280, 720], [1280, 720]],
    ['goes above it when it is asked to', 1080, true, [1280, 720], [1920, 1080]],
    ['rounds to even numbers', 240, false, [640, 360], [426, 240]],
    ['measures the shorter side of what stands upright', 360, false, [720, 1280], [360, 640]],
    ['keeps odd shapes in shape', 480, false, [1920, 1200], [768, 480]],
  ] as const)('%s', (_, height, mayUpscale, [width, from], [wide, high]) => {
    expect(planPictureSize({ height, mayUpscale }, { width, height: from })).toEqual({
      width: wide,
      height: high,
    });
  });
});
