import { describe, expect, it } from 'vitest';
import { ChalkreelError } from '../../../src/errors.ts';
import { readSegment } from '../../../src/media/mpegts/segment-reader.ts';
import { miniPackets } from './mini-parser.ts';
import { aacFrame, accessUnit, writeSegment } from './stream.ts';

const SEGMENT = writeSegment({
  pts90k: 900_000,
  slotTicks: 9000,
  pictures: Array.from({ length: 16 }, (_, slot) => ({
    offset90k: slot * 9000,
    isKey: slot === 0,
    data: accessUnit({ isKey: slot === 0, bytes: slot === 0 ? 1500 : 300 }),
  })),
  frames: Array.from({ length: 75 }, (_, index) => aacFrame(300, index)),
  order: () => true,
}).bytes;
const PACKETS = miniPackets(SEGMENT);
const AUDIO = packetOf(0x101, true);
const VIDEO = packetOf(0x100, true);
const VIDEO_MIDDLE = packetOf(0x100, false);
/** PES header and ADTS header of a first packet without adaptation field. */
const PES_AT = 4;
const ADTS_AT = PES_AT + 14;
/** The first video packet has an adaptation field of 8 bytes, for PCR and random access. */
const VIDEO_PES_AT = 12;

describe('readSegment', () => {
  const broken: readonly [string, number, (bytes: Buffer) => Buffer, RegExp][] = [
    ['nothing', 0, () => Buffer.of(), /got nothing/],
    ['a packet cut off', SEGMENT.length - 188, (b) => b.subarray(0, -1), /188 bytes.*got 187/],
    ['a lost sync byte', AUDIO, patch(AUDIO, 0x46), /sync byte 71, got 70/],
    ['a transport error', AUDIO, patch(AUDIO + 1, 0xc1), /transport_error_indicator/],
    ['scrambling', AUDIO, patch(AUDIO + 3, 0x90), /unscrambled/],
    ['a lost packet', VIDEO_MIDDLE, without(VIDEO_MIDDLE), /continuity counter 1 .*got 2/],
    ['a packet twice', AUDIO + 188, twice(AUDIO), /continuity counter 1 on PID 257, got 0/],
    ['an adaptation field too long', VIDEO, patch(VIDEO + 4, 183), /at most 182 bytes, got 183/],
    ['a changed PAT', 0, patch(11, 2), /right CRC/],
    ['a changed PMT', 188, patch(188 + 20, 0x1c), /right CRC/],
    ['no PAT', 0, without(0), /PAT and PMT ahead/],
    ['a PES without start code', AUDIO, patch(AUDIO + PES_AT, 1), /packet_start_code_prefix/],
    ['sound where pictures belong', VIDEO, patch(VIDEO + VIDEO_PES_AT + 3, 0xc0), /PES of video/],
    ['a wrong PES length', AUDIO, patch(AUDIO + PES_AT + 5, 0), /to follow/],
    ['a PES without PTS', AUDIO, patch(AUDIO + PES_AT + 7, 0), /PTS, got none/],
    ['a lost marker bit', AUDIO, patch(AUDIO + PES_AT + 9, 0x20), /PTS, got none/],
    ['no ADTS header', AUDIO, patch(AUDIO + ADTS_AT, 0), /ADTS header 0 bytes into/],
    ['44.1 kHz', AUDIO, patch(AUDIO + ADTS_AT + 2, 0x50), /48000 Hz, 2 .*got .*44100 Hz/],
    ['a frame longer than its PES', AUDIO, patch(AUDIO + ADTS_AT + 4, 0xff), /AAC frame of/],
    ['a picture without slice', VIDEO, withoutSlices, /NAL type 1 or 5\), got none/],
  ];

  it.each(broken)('names the byte where it found %s', (_, offset, breakIt, message) => {
    const error = thrownBy(() => readSegment(breakIt(Buffer.from(SEGMENT))));

    expect(error).toMatchObject({ code: 'media-invalid', details: { offset } });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`byte ${offset}:`);
  });

  it('reads bytes that are a view into something larger', () => {
    const larger = Buffer.concat([Buffer.alloc(77), SEGMENT, Buffer.alloc(5)]);
    const view = new Uint8Array(larger.buffer, larger.byteOffset + 77, SEGMENT.length);

    expect(readSegment(view)).toEqual(readSegment(SEGMENT));
  });

  it('passes over null packets', () => {
    const empty = Buffer.alloc(188, 0xff);
    empty.writeUInt32BE(0x471fff10, 0);
    const stuffed = Buffer.concat([SEGMENT.subarray(0, AUDIO), empty, SEGMENT.subarray(AUDIO)]);

    expect(readSegment(stuffed)).toEqual(readSegment(SEGMENT));
  });
});

function packetOf(pid: number, isStart: boolean): number {
  const packet = PACKETS.find(
    (candidate) => candidate.pid === pid && candidate.isStart === isStart,
  );
  return (packet?.index ?? NaN) * 188;
}

function patch(at: number, value: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes.writeUInt8(value, at);
    return bytes;
  };
}

function without(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 188)]);
}

function twice(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => Buffer.concat([bytes.subarray(0, at + 188), bytes.subarray(at)]);
}

/** Makes the IDR slice's NAL type 12: filler. */
function withoutSlices(bytes: Buffer): Buffer {
  const slice = bytes.indexOf(Buffer.of(0, 0, 1, 0x65));
  return patch(slice + 3, 0x6c)(bytes);
}

function thrownBy(action: () => unknown): ChalkreelError {
  try {
    action();
  } catch (error) {
    if (error instanceof ChalkreelError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
