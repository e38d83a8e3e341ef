import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toAvcSample } from '../../../src/media/avc-sample.ts';
import {
  findAccessUnitIndex,
  indexPackets,
  MAX_INDEX_BYTES,
} from '../../../src/media/mpegts/access-unit-index.ts';
import { findIndexedMedia } from '../../../src/media/mpegts/indexed-segment-reader.ts';
import { readSegment, type SegmentMedia } from '../../../src/media/mpegts/segment-reader.ts';
import { readVarints, writeVarints } from '../../../src/media/mpegts/varint.ts';
import type { AccessUnitIndex } from '../../../src/model/segment.ts';
import { miniPackets } from './mini-parser.ts';
import { aacFrame, accessUnit, writeSegment } from './stream.ts';

const NULL = 0x1fff;
const { bytes: SEGMENT, summary } = writeSegment({
  pts90k: 2 ** 33 - 100_000,
  slotTicks: 3000,
  pictures: Array.from({ length: 48 }, (_, slot) => ({
    offset90k: slot * 3000,
    isKey: slot === 0,
    data: accessUnit({ isKey: slot === 0, bytes: slot === 0 ? 20_000 : 3000 }),
  })),
  frames: Array.from({ length: 75 }, (_, index) => aacFrame(340, index)),
  order: () => true,
});
const INDEX_PACKETS = 3;
const INDEX_AT = SEGMENT.length - INDEX_PACKETS * 188;

describe('a segment’s access-unit index', () => {
  it('is small: three null packets at the end of a segment of 30 fps, and nothing else', () => {
    const packets = miniPackets(SEGMENT);
    const nulls = packets.filter(({ pid }) => pid === NULL).map(({ index }) => index);
    expect(nulls).toEqual([3, 2, 1].map((back) => packets.length - back));
    expect(findAccessUnitIndex(SEGMENT)).toEqual(summary.accessUnits);
    expect(findAccessUnitIndex(SEGMENT)?.pictures).toHaveLength(48);
  });

  it('is not found in bytes that have none', () => {
    expect(findAccessUnitIndex(SEGMENT.subarray(0, INDEX_AT))).toBeUndefined();
    expect(findAccessUnitIndex(SEGMENT.subarray(0, -188))).toBeUndefined();
    expect(findAccessUnitIndex(SEGMENT.subarray(INDEX_AT), INDEX_AT - 64 * 188)).toBeUndefined();
    expect(findAccessUnitIndex(Buffer.concat([SEGMENT.subarray(INDEX_AT + 188)]))).toBeUndefined();
    expect(findAccessUnitIndex(Buffer.alloc(0))).toBeUndefined();
    expect(findIndexedMedia(SEGMENT.subarray(0, INDEX_AT))).toBeUndefined();
  });

  it('is found in a segment’s last bytes as in all of them', () => {
    const end = SEGMENT.subarray(-MAX_INDEX_BYTES);
    expect(findAccessUnitIndex(end, SEGMENT.length)).toEqual(summary.accessUnits);
  });

  it('says how many bytes each unit has as a sample of an MP4', () => {
    const { pictures, audioFrames } = readSegment(SEGMENT);
    const { accessUnits } = summary;
    const bytes = (units: readonly { sampleBytes: number }[]) => units.map((u) => u.sampleBytes);
    expect(bytes(accessUnits.pictures)).toEqual(
      pictures.map(({ data }) => toAvcSample(data).length),
    );
    expect(bytes(accessUnits.frames)).toEqual(audioFrames.map(({ data }) => data.length));
  });

  it('holds any index, to the last bit of its times', () => {
    const step = fc.record({
      gap: fc.nat(300),
      packets: fc.integer({ min: 1, max: 400 }),
      sampleBytes: fc.nat(100_000),
    });
    const index = fc
      .record({
        pts90k: fc.integer({ min: 0, max: 2 ** 33 - 1 }),
        unit: fc.constantFrom(1500, 1800, 3000, 9000),
        pictures: fc.array(fc.tuple(step, fc.nat(20), fc.boolean()), { maxLength: 96 }),
        frames: fc.array(step, { maxLength: 75 }),
      })
      .map(({ pts90k, unit, pictures, frames }): AccessUnitIndex => {
        const places = (
          steps: readonly { gap: number; packets: number; sampleBytes: number }[],
        ) => {
          let end = 0;
          return steps.map(({ gap, packets, sampleBytes }) => {
            const offset = end + gap * 188;
            end = offset + packets * 188;
            return { offset, length: packets * 188, sampleBytes };
          });
        };
        let offset90k = 0;
        return {
          pts90k,
          pictures: places(pictures.map(([place]) => place)).map((place, i) => ({
            ...place,
            offset90k: (offset90k += (pictures[i]?.[1] ?? 0) * unit),
            isKey: pictures[i]?.[2] ?? false,
          })),
          frames: places(frames).map((place, i) => ({
            ...place,
            offset90k: i * 1920,
            isKey: true,
          })),
        };
      });
    fc.assert(
      fc.property(index, (given) => {
        const media = Buffer.alloc(100_000 * 188);
        expect(findAccessUnitIndex(Buffer.concat([media, indexPackets(given)]))).toEqual(given);
      }),
      { numRuns: 30 },
    );
  });

  it('is not believed when a bit of it, or a packet it speaks of, is not as it was', () => {
    const packet = fc.nat(SEGMENT.length / 188 - 1);
    const damage = fc.oneof(
      fc.record({ kind: fc.constant('flip'), at: fc.nat(SEGMENT.length * 8 - 1), to: fc.nat() }),
      fc.record({ kind: fc.constantFrom('drop', 'twice', 'swap'), at: packet, to: packet }),
    );
    const truth = outcome(() => readSegment(SEGMENT));
    fc.assert(
      fc.property(damage, (given) => {
        const damaged = apply(Buffer.from(SEGMENT), given);
        const indexed = findIndexedMedia(damaged);
        // Either it is not used, or it gives what was recorded, or what parsing gives: never anything else.
        if (indexed === undefined) return;
        expect([truth, outcome(() => readSegment(damaged))]).toContain(outcome(() => indexed));
      }),
      { numRuns: 200 },
    );
  });
});

describe('numbers of variable length', () => {
  it('are read back, up to 2^53 − 1, and not when they are cut off', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat()), (numbers) => {
        const bytes = writeVarints(numbers);
        expect(readVarints(bytes)).toEqual({ numbers, bytes: bytes.length });
      }),
    );
    expect(readVarints(Buffer.of(0x80))).toBeUndefined();
    expect(readVarints(Buffer.alloc(20, 0xff))).toBeUndefined();
  });
});

function apply(bytes: Buffer, { kind, at, to }: { kind: string; at: number; to: number }): Buffer {
  if (kind === 'flip') {
    bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
    return bytes;
  }
  const packets = Array.from({ length: bytes.length / 188 }, (_, i) =>
    bytes.subarray(i * 188, (i + 1) * 188),
  );
  const packet = packets[at] ?? bytes;
  if (kind === 'drop') packets.splice(at, 1);
  if (kind === 'twice') packets.splice(at, 0, packet);
  if (kind === 'swap') [packets[at], packets[to]] = [packets[to] ?? packet, packet];
  return Buffer.concat(packets);
}

/** Times and bytes, as a digest; how readers refuse does not matter. */
function outcome(read: () => SegmentMedia): string {
  try {
    const hash = createHash('sha256');
    const { pictures, audioFrames } = read();
    for (const { pts90k, isKey, data } of pictures) hash.update(`${pts90k} ${isKey}`).update(data);
    for (const { pts90k, data } of audioFrames) hash.update(`${pts90k}`).update(data);
    return hash.digest('hex');
  } catch {
    return 'refused';
  }
}
