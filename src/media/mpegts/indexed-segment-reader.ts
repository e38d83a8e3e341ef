import type { AccessUnit, AccessUnitIndex } from '../../model/segment.ts';
import { findAdtsHeader } from '../aac.ts';
import { findPictureType, NAL_TYPE } from '../h264.ts';
import { findAccessUnitIndex } from './access-unit-index.ts';
import { COUNTER_MODULUS, PACKET_BYTES, PID, STREAM_ID, SYNC_BYTE } from './format.ts';
import { PES_HEADER_BYTES, writePesHeader } from './pes.ts';
import type { ReadFrame, ReadPicture, SegmentMedia } from './segment-reader.ts';
import { wrap90k } from './timestamps.ts';

const PACKET_HEADER_BYTES = 4;
/** Bits of a packet's header (ISO/IEC 13818-1 §2.4.3.2). */
const UNIT_START = 0x400000;
const HAS_ADAPTATION = 0x20;
const HAS_PAYLOAD = 0x10;

type Stream = { readonly pid: number; readonly streamId: number };
const VIDEO: Stream = { pid: PID.video, streamId: STREAM_ID.video };
const AUDIO: Stream = { pid: PID.audio, streamId: STREAM_ID.audio };

/** Which units of a segment: by their index there, from the first to before the last. */
export type UnitRange = { readonly from: number; readonly to: number };
export type UnitRanges = { readonly pictures: UnitRange; readonly frames: UnitRange };

/**
 * Reads a segment by its access-unit index, without looking for anything: the same as `readSegment`. Undefined when it has no index or the
 * bytes are not what the index says (a packet out of place, a counter that jumps, another PTS): then `readSegment` must be asked.
 */
export function findIndexedMedia(segment: Uint8Array): SegmentMedia | undefined {
  const index = findAccessUnitIndex(segment);
  if (index === undefined) return undefined;
  const all = {
    pictures: { from: 0, to: index.pictures.length },
    frames: { from: 0, to: index.frames.length },
  };
  return findIndexedUnits(index, { bytes: segment, at: 0 }, all);
}

/** The bytes of a segment, from `start` to before `end`, that hold these units; nothing where there are none. */
export function planUnitBytes(
  { pictures, frames }: AccessUnitIndex,
  ranges: UnitRanges,
): { readonly start: number; readonly end: number } {
  const units = [
    ...pictures.slice(ranges.pictures.from, ranges.pictures.to),
    ...frames.slice(ranges.frames.from, ranges.frames.to),
  ];
  if (units.length === 0) return { start: 0, end: 0 };
  return {
    start: Math.min(...units.map(({ offset }) => offset)),
    end: Math.max(...units.map(({ offset, length }) => offset + length)),
  };
}

/** Some of a segment's units, from a part of its bytes that begins at its byte `at`. Undefined where they are not what the index says. */
export function findIndexedUnits(
  index: AccessUnitIndex,
  part: { readonly bytes: Uint8Array; readonly at: number },
  ranges: UnitRanges,
): SegmentMedia | undefined {
  const pictures = readPictures(index, part, ranges.pictures);
  const audioFrames = pictures && readFrames(index, part, ranges.frames);
  return audioFrames && { pictures, audioFrames };
}

type Part = { readonly bytes: Uint8Array; readonly at: number };

function readPictures(
  index: AccessUnitIndex,
  part: Part,
  { from, to }: UnitRange,
): ReadPicture[] | undefined {
  const read = new UnitReader(part, VIDEO, packetsOf(index.pictures.slice(0, from)));
  const pictures: ReadPicture[] = [];
  for (const unit of index.pictures.slice(from, to)) {
    const pts90k = wrap90k(index.pts90k + unit.offset90k);
    const data = read.find(unit, pts90k);
    const type = unit.isKey ? NAL_TYPE.idrSlice : NAL_TYPE.slice;
    if (data === undefined || findPictureType(data) !== type) return undefined;
    pictures.push({ pts90k, isKey: unit.isKey, data });
  }
  return pictures;
}

function readFrames(
  index: AccessUnitIndex,
  part: Part,
  { from, to }: UnitRange,
): ReadFrame[] | undefined {
  const read = new UnitReader(part, AUDIO, packetsOf(index.frames.slice(0, from)));
  const frames: ReadFrame[] = [];
  for (const unit of index.frames.slice(from, to)) {
    const pts90k = wrap90k(index.pts90k + unit.offset90k);
    const adts = read.find(unit, pts90k);
    if (adts === undefined) return undefined;
    const header = findAdtsHeader(adts);
    if (header?.frameBytes !== adts.length) return undefined;
    frames.push({ pts90k, data: adts.subarray(header.headerBytes) });
  }
  return frames;
}

function packetsOf(units: readonly AccessUnit[]): number {
  return units.reduce((sum, { length }) => sum + length / PACKET_BYTES, 0);
}

/** Takes the units of one PID out of their packets, in order. */
class UnitReader {
  readonly #bytes: Buffer;
  readonly #at: number;
  readonly #stream: Stream;
  /** Packets of this PID before the next unit: they say its counter. */
  #packets: number;

  constructor({ bytes, at }: Part, stream: Stream, packetsBefore: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
    this.#stream = stream;
    this.#packets = packetsBefore;
  }

  /** What a unit's PES carries; undefined when there is no such PES there. */
  find({ offset, length }: AccessUnit, pts90k: number): Buffer | undefined {
    const payloads: Buffer[] = [];
    const [start, end] = [offset - this.#at, offset + length - this.#at];
    if (start < 0 || end > this.#bytes.length) return undefined;
    for (let at = start; at < end; at += PACKET_BYTES) {
      const payload = this.#payload(at, at === start);
      if (payload === undefined) return undefined;
      payloads.push(payload);
    }
    const pes = payloads.length === 1 ? payloads[0] : Buffer.concat(payloads);
    return pes && findElementary(pes, this.#stream.streamId, pts90k);
  }

  #payload(at: number, isStart: boolean): Buffer | undefined {
    const word = this.#bytes.readUInt32BE(at);
    const counter = this.#packets++ % COUNTER_MODULUS;
    const expected =
      (SYNC_BYTE << 24) |
      (isStart ? UNIT_START : 0) |
      (this.#stream.pid << 8) |
      (word & HAS_ADAPTATION) |
      HAS_PAYLOAD |
      counter;
    if (word !== expected >>> 0) return undefined;
    const adaptation = word & HAS_ADAPTATION ? 1 + (this.#bytes[at + PACKET_HEADER_BYTES] ?? 0) : 0;
    return this.#bytes.subarray(at + PACKET_HEADER_BYTES + adaptation, at + PACKET_BYTES);
  }
}

/** What follows a PES header that is exactly the one the writer writes for these bytes. */
function findElementary(pes: Buffer, streamId: number, pts90k: number): Buffer | undefined {
  if (pes.length < PES_HEADER_BYTES) return undefined;
  const expected = Buffer.alloc(PES_HEADER_BYTES);
  const elementaryBytes = pes.length - PES_HEADER_BYTES;
  writePesHeader(expected, { streamId, pts90k, elementaryBytes });
  return pes.subarray(0, PES_HEADER_BYTES).equals(expected)
    ? pes.subarray(PES_HEADER_BYTES)
    : undefined;
}
