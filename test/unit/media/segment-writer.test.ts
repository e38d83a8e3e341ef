import { describe, expect, it } from 'vitest';
import { createSegmentWriter } from '../../../src/media/mpegts/segment-writer.ts';
import { readSegment } from '../../../src/media/mpegts/segment-reader.ts';
import { crc32Mpeg } from '../../../src/media/mpegts/psi.ts';
import { miniPackets, miniPes } from './mini-parser.ts';
import { aacFrame, accessUnit, SPS, writeSegment, type Script } from './stream.ts';

const SLOT = 3000;
const KEY = accessUnit({ isKey: true, bytes: 500 });
const OTHER = accessUnit({ isKey: false, bytes: 40 });

describe('createSegmentWriter', () => {
  it('writes the constant tables of the design at the very start', () => {
    const { bytes } = writeSegment(segment());

    expect(bytes.subarray(0, 188).toString('hex')).toBe(
      '474000100000b00d0001c100000001f0002ab104b2'.padEnd(376, 'f'),
    );
    expect(bytes.subarray(188, 376).toString('hex')).toMatch(
      /^475000100002b0170001c10000e100f0001be100f0000fe101f000[0-9a-f]{8}(ff)+$/,
    );
  });

  it('hands out what is final at once, and only then', () => {
    const writes: number[] = [];
    const writer = createSegmentWriter({ ...grid(), write: ({ length }) => writes.push(length) });

    writer.writeAudio(aacFrame(20, 0));
    expect(writes).toEqual([]);
    writer.writeVideo({ offset90k: 0, isKey: true, data: KEY });
    // Tables and three packets of picture, then the frame that may not come before it.
    expect(writes).toEqual([5 * 188, 188]);
    writer.writeVideo({ offset90k: 6000, isKey: false, data: OTHER });
    // Sound is due at 1920 ticks first.
    expect(writes).toHaveLength(2);
    writer.writeAudio(aacFrame(20, 1));
    writer.writeAudio(aacFrame(20, 2));
    writer.writeAudio(aacFrame(20, 3));
    expect(writes).toHaveLength(6);
  });

  it('is complete with the last slot and 75 frames, not before', () => {
    const { pts90k, slotTicks, pictures, frames } = segment();
    const writer = createSegmentWriter({ pts90k, slotTicks, write: () => undefined });
    for (const frame of frames.slice(1)) writer.writeAudio(frame);
    for (const picture of pictures.slice(0, -1)) writer.writeVideo(picture);
    const last = pictures.at(-1) ?? fail();

    expect(writer.isComplete).toBe(false);
    expect(() => writer.finish()).toThrow(
      expect.objectContaining({
        code: 'segment-incomplete',
        message: expect.stringMatching(/picture at 141000 and 75.*at 138000.*74 AAC/) as string,
      }),
    );
    writer.writeVideo(last);
    expect(writer.isComplete).toBe(false);
    writer.writeAudio(frames[0] ?? fail());
    expect(writer.isComplete).toBe(true);
    expect(writer.finish().accessUnits.pictures).toHaveLength(pictures.length);
  });

  /** Every remainder of 16 packets, made up for by units that are as small as can be. */
  it.each(Array.from({ length: 16 }, (_, more) => more))(
    'splits even the smallest last units, %i packets after a multiple of 16',
    (more) => {
      const [first, ...rest] = segment().pictures;
      const data = accessUnit({ isKey: true, bytes: 184 * more + 20 });
      const tiny = rest.map((picture) => ({
        ...picture,
        data: accessUnit({ isKey: false, bytes: 1 }),
      }));
      const frames = segment().frames.map((_, index) => aacFrame(index < more ? 200 : 1, index));
      const pictures = [{ ...(first ?? fail()), data }, ...tiny];
      const { bytes } = writeSegment({ ...segment(), pictures, frames });

      const packets = miniPackets(bytes);
      const carrying = packets.filter(({ payload }) => payload.length > 0);
      for (const pid of [0x100, 0x101]) {
        expect(carrying.filter((packet) => packet.pid === pid).length % 16).toBe(0);
        expect(miniPes(packets, pid).every((pes) => pes.headerInFirstPacket)).toBe(true);
      }
      expect(readSegment(bytes).audioFrames.map((frame) => [...frame.data])).toEqual(
        frames.map((frame) => [...frame]),
      );
    },
  );

  it('gives equal hashes to equal parameter sets, and to no others', () => {
    const hashOf = (sps: Uint8Array): string => {
      const data = accessUnit({ isKey: true, bytes: 10, sps });
      const [first, ...rest] = segment().pictures;
      const pictures = [{ ...(first ?? fail()), data }, ...rest];
      return writeSegment({ ...segment(), pictures }).summary.codecHash;
    };

    expect(hashOf(SPS)).toMatch(/^[0-9a-f]{16}$/);
    expect(hashOf(Uint8Array.from(SPS))).toBe(hashOf(SPS));
    expect(hashOf(Uint8Array.from([...SPS.slice(0, -1), 0xe4]))).not.toBe(hashOf(SPS));
  });

  const rejected: readonly [string, (writer: Writer) => void, RegExp][] = [
    ['a first picture late', (w) => video(w, SLOT, true, KEY), /at 0 .*got one at 3000/],
    ['a first picture that is no key', (w) => video(w, 0, false, OTHER), /key frame at 0/],
    ['a key frame without parameter sets', (w) => video(w, 0, true, keyWithout()), /got 0 and 0/],
    ['a key frame that is no IDR', (w) => video(w, 0, true, OTHER), /type 5\) at 0, got 1/],
    ['an IDR handed in as another', (w) => video(w, 0, false, KEY), /type 1\) at 0, got 5/],
    ['a picture without slice', (w) => video(w, 0, true, SPS), /got none/],
    ['an empty frame', (w) => w.writeAudio(Uint8Array.of()), /frame 0 .*1 to 8184 bytes, got 0/],
    ['too long a frame', (w) => w.writeAudio(new Uint8Array(8185)), /got 8185/],
    ['a frame with ADTS', (w) => w.writeAudio(Uint8Array.of(0xff, 0xf1, 0x4c)), /ADTS header/],
  ];

  it.each(rejected)('takes no notice of %s but to say so', (_, act, message) => {
    const chunks: Uint8Array[] = [];
    const writer = createSegmentWriter({ ...grid(), write: (packets) => chunks.push(packets) });

    expect(() => act(writer)).toThrow(message);
    expect(chunks).toEqual([]);
    for (const frame of segment().frames) writer.writeAudio(frame);
    for (const picture of segment().pictures) writer.writeVideo(picture);
    writer.finish();
    expect(Buffer.concat(chunks).equals(writeSegment(segment()).bytes)).toBe(true);
  });

  it.each([
    [0, /multiple of 3000 from 3000/],
    [3001, /got one at 3001/],
    [144_000, /up to 141000/],
    [-3000, /got one at -3000/],
  ])('refuses a second picture at %i ticks', (offset90k, message) => {
    const writer = createSegmentWriter({ ...grid(), write: () => undefined });
    video(writer, 0, true, KEY);

    expect(() => video(writer, offset90k, false, OTHER)).toThrow(message);
  });

  it('refuses other parameter sets in the middle of a segment', () => {
    const writer = createSegmentWriter({ ...grid(), write: () => undefined });
    video(writer, 0, true, KEY);
    const data = accessUnit({
      isKey: true,
      bytes: 10,
      sps: Uint8Array.of(0x67, 66, 0xc0, 30, 0x80),
    });

    expect(() => video(writer, SLOT, true, data)).toThrow(/parameter sets \([0-9a-f]{16}\)/);
  });

  it('refuses a 76th frame, and pictures in a segment of sound only', () => {
    const writer = createSegmentWriter({ pts90k: 0, slotTicks: undefined, write: () => undefined });
    for (const frame of segment().frames) writer.writeAudio(frame);

    expect(() => writer.writeAudio(aacFrame(9, 1))).toThrow(/75 AAC frames .*one more/);
    expect(() => video(writer, 0, true, KEY)).toThrow(/sound only/);
    expect(writer.finish().accessUnits.pictures).toEqual([]);
  });

  it.each([
    [{ pts90k: 2 ** 33 }, /first PTS/],
    [{ pts90k: -1 }, /got -1/],
    [{ pts90k: 0.5 }, /got 0.5/],
    [{ slotTicks: 0 }, /slot length/],
    [{ slotTicks: 3003 }, /got 3003/],
  ])('refuses a segment with %o', (options, message) => {
    const write = (): void => undefined;

    expect(() => createSegmentWriter({ ...grid(), ...options, write })).toThrow(message);
  });
});

describe('crc32Mpeg', () => {
  it('gives the check value of CRC-32/MPEG-2', () => {
    expect(crc32Mpeg(Buffer.from('123456789'))).toBe(0x0376e6e7);
  });
});

type Writer = ReturnType<typeof createSegmentWriter>;

function grid(): { pts90k: number; slotTicks: number } {
  return { pts90k: 900_000, slotTicks: SLOT };
}

function segment(): Script {
  const key = { offset90k: 0, isKey: true, data: KEY };
  const others = [6000, 138_000, 141_000].map((offset90k) => ({
    offset90k,
    isKey: false,
    data: OTHER,
  }));
  const frames = Array.from({ length: 75 }, (_, index) => aacFrame(20, index));
  return { ...grid(), pictures: [key, ...others], frames, order: () => true };
}

function video(writer: Writer, offset90k: number, isKey: boolean, data: Uint8Array): void {
  writer.writeVideo({ offset90k, isKey, data });
}

function keyWithout(): Uint8Array {
  return KEY.subarray(KEY.length - 500 - 4);
}

function fail(): never {
  throw new Error('the test has no such thing');
}
