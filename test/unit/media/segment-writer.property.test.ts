import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findAccessUnitIndex } from '../../../src/media/mpegts/access-unit-index.ts';
import { toAvcSample } from '../../../src/media/avc-sample.ts';
import { findIndexedMedia } from '../../../src/media/mpegts/indexed-segment-reader.ts';
import { readSegment } from '../../../src/media/mpegts/segment-reader.ts';
import { miniPackets, miniPes, type MiniPacket, type MiniPes } from './mini-parser.ts';
import { aacFrame, accessUnit, writeSegment, type Script } from './stream.ts';

const MODULUS = 2n ** 33n;
const SEGMENT = 144_000;
/** 100 ms and 500 ms in ticks of 90 kHz: the rules of the stream, not tolerances. */
const PCR_PERIOD = 9000n;
const LEAST_LEAD = 45_000n;
const PAT = 0;
const PMT = 0x1000;
const VIDEO = 0x100;
const AUDIO = 0x101;
const NULL = 0x1fff;
/** A segment has up to 96 pictures, so that few runs see much. */
const RUNS = 25;

/** Sizes of what WebCodecs and x264 put out, and the edges: one packet, two packets, more than a PES length can say. */
const pictureBytes = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 60 }) },
  { weight: 4, arbitrary: fc.integer({ min: 100, max: 600 }) },
  { weight: 2, arbitrary: fc.integer({ min: 601, max: 9000 }) },
);
const keyBytes = fc.oneof(
  fc.integer({ min: 1, max: 4000 }),
  fc.integer({ min: 65_450, max: 65_600 }),
);
const frameBytes = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 13, max: 700 }));
const pts90k = fc.oneof(
  fc.constantFrom(0, 900_000, 2 ** 33 - 1, 2 ** 33 - SEGMENT, 2 ** 32, 62_999, 63_000),
  fc.integer({ min: 2 ** 33 - 2 * SEGMENT, max: 2 ** 33 - 1 }),
  fc.integer({ min: 0, max: 2 ** 33 - 1 }),
);

const script: fc.Arbitrary<Script> = fc
  .record({
    pts90k,
    fps: fc.constantFrom(10, 15, 20, 25, 30, 50, 60),
    density: fc.constantFrom(0, 20, 100),
    rolls: fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 96, maxLength: 96 }),
    sizes: fc.array(pictureBytes, { minLength: 96, maxLength: 96 }),
    key: keyBytes,
    secondKeyAt: fc.option(fc.integer({ min: 1, max: 95 })),
    hasDelimiter: fc.boolean(),
    frames: fc.array(frameBytes, { minLength: 75, maxLength: 75 }),
    lag: fc.integer({ min: -80, max: 80 }),
  })
  .map((seed) => {
    const slotTicks = 90_000 / seed.fps;
    const slots = SEGMENT / slotTicks;
    const filled = Array.from({ length: slots }, (_, slot) => slot).filter(
      (slot) => slot === 0 || slot >= slots - 2 || (seed.rolls[slot] ?? 0) < seed.density,
    );
    const pictures = filled.map((slot) => {
      const isKey = slot === 0 || slot === seed.secondKeyAt;
      const bytes = slot === 0 ? seed.key : (seed.sizes[slot] ?? 1);
      const data = accessUnit({ isKey, bytes, hasDelimiter: seed.hasDelimiter });
      return { offset90k: slot * slotTicks, isKey, data };
    });
    // Pictures run ahead of the sound, or behind, by up to more than a whole segment.
    const order = (picturesIn: number, framesIn: number): boolean =>
      (picturesIn / pictures.length) * 75 <= framesIn + seed.lag;
    const frames = seed.frames.map((bytes, index) => aacFrame(bytes, index));
    return { pts90k: seed.pts90k, slotTicks, pictures, frames, order };
  });

const soundScript: fc.Arbitrary<Script> = fc
  .record({ pts90k, sizes: fc.array(frameBytes, { minLength: 75, maxLength: 75 }) })
  .map((seed) => ({
    pts90k: seed.pts90k,
    slotTicks: undefined,
    pictures: [],
    frames: seed.sizes.map((bytes, index) => aacFrame(bytes, index)),
    order: () => false,
  }));

describe('a segment of any class', () => {
  it('gives back every picture and frame, at its exact time, through the reader', () => {
    check(script, (given) => {
      const { pictures, audioFrames } = readSegment(writeSegment(given).bytes);

      expect(pictures.map((picture) => [picture.pts90k, picture.isKey])).toEqual(
        given.pictures.map((picture) => [at(given, picture.offset90k), picture.isKey]),
      );
      for (const [index, { data }] of given.pictures.entries()) {
        expectSameAccessUnit(pictures[index]?.data, data);
      }
      expect(audioFrames.map((frame) => frame.pts90k)).toEqual(
        given.frames.map((_, index) => at(given, index * 1920)),
      );
      for (const [index, frame] of given.frames.entries()) {
        expect(Buffer.compare(audioFrames[index]?.data ?? Buffer.of(), frame)).toBe(0);
      }
    });
  });

  it('carries its own index, by which it is read as by parsing', () => {
    check(fc.oneof(script, soundScript), (given) => {
      const { bytes, summary } = writeSegment(given);

      expect(findAccessUnitIndex(bytes)).toEqual(summary.accessUnits);
      const [indexed, parsed] = [findIndexedMedia(bytes), readSegment(bytes)];
      // Compared as text: buffers of different origin differ in what they are views of.
      expect(JSON.stringify(indexed)).toBe(JSON.stringify(parsed));
    });
  });

  it('counts every PID from 0 in steps of one, and ends each on a multiple of 16', () => {
    check(fc.oneof(script, soundScript), (given) => {
      const counts = new Map<number, number>();
      for (const { pid, counter, payload } of miniPackets(writeSegment(given).bytes)) {
        if (pid === NULL) continue;
        const count = counts.get(pid) ?? 0;
        if (payload.length > 0) counts.set(pid, count + 1);
        const expected = payload.length > 0 ? count : count + 15;
        if (counter !== expected % 16) throw new Error(`PID ${pid}: ${counter} after ${count}`);
      }

      const hasVideo = given.slotTicks !== undefined;
      expect([...counts.keys()].sort()).toEqual(
        [PAT, PMT, AUDIO, ...(hasVideo ? [VIDEO] : [])].sort(),
      );
      expect([counts.get(PAT), counts.get(PMT)]).toEqual([16, 16]);
      for (const count of counts.values()) expect(count % 16).toBe(0);
    });
  });

  it('has tables and PCR each 100 ms, the PCR 500 ms or more ahead of whatever follows it', () => {
    check(fc.oneof(script, soundScript), (given) => {
      const packets = miniPackets(writeSegment(given).bytes);
      const pcrs = packets.filter((packet) => packet.pcr !== undefined);
      const starts = [VIDEO, AUDIO].flatMap((pid) => miniPes(packets, pid));
      const origin = BigInt(given.pts90k);

      expect(pcrs).toHaveLength(16);
      for (const [index, { pcr, pcrExtension, pid }] of pcrs.entries()) {
        expect(pid).toBe(given.slotTicks === undefined ? AUDIO : VIDEO);
        expect(pcrExtension).toBe(0);
        const expected = modulo(origin + BigInt(index) * PCR_PERIOD - 63_000n);
        expect(pcr).toBe(expected);
      }
      expectTablesBefore(packets, pcrs);
      for (const { index, pcr } of pcrs) {
        const carrier = starts.find((pes) => pes.firstPacket === index);
        // A unit that carries a PCR is exactly the lead after it; other PCRs have a packet of their own.
        if (carrier !== undefined) expect(modulo(carrier.pts - (pcr ?? 0n))).toBe(63_000n);
        else expect(packets[index]?.payload).toHaveLength(0);
      }
      for (const pes of starts) {
        // It lies between the PCR of its own 100 ms and the next: no byte of it can be read as later than the latter.
        const before = pcrs.findLast((packet) => packet.index <= pes.firstPacket)?.pcr ?? -1n;
        const lead = modulo(pes.pts - before);
        expect(lead - PCR_PERIOD).toBeGreaterThanOrEqual(LEAST_LEAD);
        expect(lead).toBeGreaterThanOrEqual(63_000n);
        expect(lead).toBeLessThan(63_000n + PCR_PERIOD);
        expect(pcrs.some(({ index }) => index > pes.firstPacket && index <= pes.lastPacket)).toBe(
          false,
        );
      }
    });
  });

  it('writes each unit as one PES, whole, aligned, in order of time, and knows where pictures are', () => {
    check(script, (given) => {
      const { bytes, summary } = writeSegment(given);
      const packets = miniPackets(bytes);
      const video = miniPes(packets, VIDEO);
      const audio = miniPes(packets, AUDIO);
      const all = [...video, ...audio].sort((a, b) => a.firstPacket - b.firstPacket);

      expect([video.length, audio.length]).toEqual([given.pictures.length, 75]);
      for (const [index, pes] of all.entries()) {
        const follows = modulo(pes.pts - (all[index - 1]?.pts ?? pes.pts));
        expect(follows).toBeLessThan(BigInt(SEGMENT));
        expect(pes.headerInFirstPacket && pes.isAligned).toBe(true);
        expect(pes.ptsDtsFlags).toBe(2);
        expect(pes.packetLength).toBe(pes.bytes - 6 > 0xffff ? 0 : pes.bytes - 6);
        const inside = packets.slice(pes.firstPacket, pes.lastPacket + 1);
        expect(inside.every((packet) => packet.pid === pes.pid)).toBe(true);
      }
      expect(summary.bytes).toBe(bytes.length);
      expect(summary.accessUnits).toEqual({
        pts90k: given.pts90k,
        pictures: video.map((pes, index) => ({
          ...placeOf(pes),
          offset90k: given.pictures[index]?.offset90k,
          isKey: given.pictures[index]?.isKey,
          sampleBytes: toAvcSample(given.pictures[index]?.data ?? Buffer.alloc(0)).length,
        })),
        frames: audio.map((pes, index) => ({
          ...placeOf(pes),
          offset90k: 1920 * index,
          isKey: true,
          sampleBytes: given.frames[index]?.length,
        })),
      });
      const randomAccess = video.map((pes) => packets[pes.firstPacket]?.isRandomAccess);
      expect(randomAccess).toEqual(given.pictures.map((picture) => picture.isKey));
    });
  });

  it('is the same file in whatever order pictures and sound arrive', () => {
    check(fc.tuple(script, script), ([given, other]) => {
      const again = writeSegment({ ...given, order: other.order });

      expect(Buffer.compare(writeSegment(given).bytes, again.bytes)).toBe(0);
    });
  });

  it('runs on into the next segment without a break in counters or times', () => {
    check(fc.tuple(script, script), ([given, other]) => {
      const next = { ...other, pts90k: Number(modulo(BigInt(given.pts90k + SEGMENT))) };
      const both = Buffer.concat([writeSegment(given).bytes, writeSegment(next).bytes]);
      const { pictures, audioFrames } = readSegment(both);

      expect(pictures).toHaveLength(given.pictures.length + next.pictures.length);
      for (const [index, frame] of audioFrames.entries()) {
        expect(frame.pts90k).toBe(at(given, index * 1920));
      }
    });
  });
});

function check<T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, predicate), { numRuns: RUNS });
}

function at(given: Script, offset90k: number): number {
  return Number(modulo(BigInt(given.pts90k + offset90k)));
}

function modulo(ticks: bigint): bigint {
  return ((ticks % MODULUS) + MODULUS) % MODULUS;
}

/** The same bytes behind a delimiter; a tiny last picture may have zeros at its end (ITU-T H.264 annex B). */
function placeOf({ firstPacket, lastPacket }: MiniPes): { offset: number; length: number } {
  return { offset: firstPacket * 188, length: (lastPacket + 1 - firstPacket) * 188 };
}

function expectSameAccessUnit(read: Uint8Array | undefined, given: Uint8Array): void {
  const hasDelimiter = given[4] === 9;
  const expected = hasDelimiter ? given : Buffer.concat([Buffer.of(0, 0, 0, 1, 9, 0xf0), given]);
  const actual = Buffer.from(read ?? []);
  expect(Buffer.compare(actual.subarray(0, expected.length), expected)).toBe(0);
  const rest = actual.subarray(expected.length);
  expect(rest.every((byte) => byte === 0)).toBe(true);
  if (expected.length >= 16) expect(rest).toHaveLength(0);
}

/** PAT and PMT stand right ahead of each PCR, and nowhere else. */
function expectTablesBefore(packets: readonly MiniPacket[], pcrs: readonly MiniPacket[]): void {
  const tables = packets.filter((packet) => packet.pid === PAT || packet.pid === PMT);
  expect(tables.map((packet) => [packet.index, packet.pid])).toEqual(
    pcrs.flatMap(({ index }) => [
      [index - 2, PAT],
      [index - 1, PMT],
    ]),
  );
  for (const table of tables) {
    expect(table.payload).toEqual(packets[table.pid === PAT ? 0 : 1]?.payload);
  }
}
