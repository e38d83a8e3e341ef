import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ADTS_HEADER_BYTES,
  AUDIO_SPECIFIC_CONFIG,
  findAdtsHeader,
  writeAdtsHeader,
} from '../../../src/media/aac.ts';

describe('ADTS', () => {
  it('is read back as AAC-LC, 48 kHz, stereo, with the length it was given', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8184 }), (rawBytes) => {
        const bytes = new Uint8Array(3 + ADTS_HEADER_BYTES);
        writeAdtsHeader(bytes, 3, rawBytes);

        expect(findAdtsHeader(bytes, 3)).toEqual({
          audioObjectType: 2,
          sampleRate: 48_000,
          channels: 2,
          headerBytes: 7,
          frameBytes: rawBytes + 7,
          samples: 1024,
        });
      }),
    );
  });

  it('reads a header of ffmpeg with CRC-less LC at 44.1 kHz mono', () => {
    const header = Uint8Array.of(0xff, 0xf1, 0x50, 0x40, 0x02, 0x7f, 0xfc);

    expect(findAdtsHeader(header)).toMatchObject({
      sampleRate: 44_100,
      channels: 1,
      frameBytes: 19,
    });
  });

  it.each([
    ['too short', Uint8Array.of(0xff, 0xf1, 0x4c, 0x80, 0x02)],
    ['without sync word', Uint8Array.of(0xfe, 0xf1, 0x4c, 0x80, 0x02, 0x7f, 0xfc)],
    ['of MPEG layer 3', Uint8Array.of(0xff, 0xfb, 0x4c, 0x80, 0x02, 0x7f, 0xfc)],
    ['of an unknown rate', Uint8Array.of(0xff, 0xf1, 0x7c, 0x80, 0x02, 0x7f, 0xfc)],
    ['shorter than itself', Uint8Array.of(0xff, 0xf1, 0x4c, 0x80, 0x00, 0xdf, 0xfc)],
  ])('finds no header in one %s', (_, bytes) => {
    expect(findAdtsHeader(bytes)).toBeUndefined();
  });
});

describe('AUDIO_SPECIFIC_CONFIG', () => {
  it('is the two bytes players expect for AAC-LC, 48 kHz, stereo', () => {
    expect([...AUDIO_SPECIFIC_CONFIG]).toEqual([0x11, 0x90]);
  });
});
