import { AAC_FRAME_TICKS, AAC_FRAMES_PER_SEGMENT } from '../../model/grid.ts';
import type { AccessUnit, AccessUnitIndex } from '../../model/segment.ts';
import { ADTS_HEADER_BYTES, writeAdtsHeader } from '../aac.ts';
import { avcSampleBytes } from '../avc-sample.ts';
import { ACCESS_UNIT_DELIMITER, startsWithDelimiter } from '../h264.ts';
import { indexPackets } from './access-unit-index.ts';
import { COUNTER_MODULUS, PCR_LEAD_90K, PID, STREAM_ID, TABLES_PERIOD_90K } from './format.ts';
import {
  packetise,
  packetsNeeded,
  pcrPacket,
  PES_HEADER_BYTES,
  writePesHeader,
  type FirstPacket,
} from './pes.ts';
import { tablesAt } from './psi.ts';
import { wrap90k } from './timestamps.ts';

/** One picture on its way into a segment. */
export type Picture = {
  /** Ticks of 90 kHz from the segment's start. */
  readonly offset90k: number;
  readonly isKey: boolean;
  /** Annex B. */
  readonly data: Uint8Array;
};

/** Where a PES stands in its PID: the last two settle how many packets the PID carries in all. */
type Position = 'inner' | 'last-but-one' | 'last';

/** A PES may be spread over 16 packets only when it has this much after its header: 15 packets, and one byte to spare. */
const MIN_LAST_PICTURE_BYTES = COUNTER_MODULUS;
/** The last sound PES can always be split into so many packets: the smallest ADTS frame has 8 bytes. */
const MAX_LAST_SOUND_PACKETS = 9;
/** Room for most pictures without growing. */
const INITIAL_SCRATCH_BYTES = 32_768;

/**
 * Turns pictures and AAC frames, handed in by time, into the packets of one segment: tables and PCR each 100 ms, one PES for each
 * unit, counters from 0, every PID a multiple of 16 payload packets. It trusts its caller for order and completeness.
 */
export class SegmentMultiplexer {
  bytes = 0;
  readonly #pictures: AccessUnit[] = [];
  readonly #sounds: AccessUnit[] = [];
  readonly #options: {
    readonly pts90k: number;
    readonly hasVideo: boolean;
    readonly write: (packets: Uint8Array) => void;
  };
  readonly #packets = { video: 0, audio: 0 };
  #tables = 0;
  #scratch = Buffer.allocUnsafe(INITIAL_SCRATCH_BYTES);

  constructor(options: {
    readonly pts90k: number;
    readonly hasVideo: boolean;
    readonly write: (packets: Uint8Array) => void;
  }) {
    this.#options = options;
  }

  /** Writes one picture and remembers where it is. A last picture too small to be split gets trailing zeros (annex B). */
  writePicture(picture: Picture, isLast: boolean): void {
    const { offset90k, isKey, data } = picture;
    const delimiter = startsWithDelimiter(data) ? 0 : ACCESS_UNIT_DELIMITER.length;
    const length = Math.max(delimiter + data.length, isLast ? MIN_LAST_PICTURE_BYTES : 0);
    const pes = this.#startPes('video', offset90k, length);
    if (delimiter > 0) pes.set(ACCESS_UNIT_DELIMITER, PES_HEADER_BYTES);
    pes.set(data, PES_HEADER_BYTES + delimiter);
    pes.fill(0, PES_HEADER_BYTES + delimiter + data.length);
    const position = isLast ? 'last' : 'inner';
    const place = this.#writePes('video', pes, { offset90k, isRandomAccess: isKey, position });
    this.#pictures.push({ ...place, offset90k, isKey, sampleBytes: avcSampleBytes(data) });
  }

  /** Writes the next raw AAC frame, behind an ADTS header. */
  writeFrame(frame: Uint8Array): void {
    const offset90k = this.#sounds.length * AAC_FRAME_TICKS;
    const left = AAC_FRAMES_PER_SEGMENT - 1 - this.#sounds.length;
    const pes = this.#startPes('audio', offset90k, ADTS_HEADER_BYTES + frame.length);
    writeAdtsHeader(pes, PES_HEADER_BYTES, frame.length);
    pes.set(frame, PES_HEADER_BYTES + ADTS_HEADER_BYTES);
    const position = left === 0 ? 'last' : left === 1 ? 'last-but-one' : 'inner';
    const place = this.#writePes('audio', pes, { offset90k, isRandomAccess: false, position });
    this.#sounds.push({ ...place, offset90k, isKey: true, sampleBytes: frame.length });
  }

  /** Writes the index of what has been written behind it, as null packets, and returns it. */
  writeIndex(): AccessUnitIndex {
    const { pts90k } = this.#options;
    const index = { pts90k, pictures: this.#pictures, frames: this.#sounds };
    this.#write(indexPackets(index));
    return index;
  }

  /** A PES with its header, in a buffer that the next call overwrites: packets are copies. */
  #startPes(stream: 'video' | 'audio', offset90k: number, elementaryBytes: number): Buffer {
    const length = PES_HEADER_BYTES + elementaryBytes;
    if (this.#scratch.length < length) this.#scratch = Buffer.allocUnsafe(2 * length);
    const pes = this.#scratch.subarray(0, length);
    const pts90k = wrap90k(this.#options.pts90k + offset90k);
    writePesHeader(pes, { streamId: STREAM_ID[stream], pts90k, elementaryBytes });
    return pes;
  }

  /** Writes tables and PCR that are due, then the PES; returns where the PES is. One call of `write` for all. */
  #writePes(
    stream: 'video' | 'audio',
    pes: Buffer,
    unit: {
      readonly offset90k: number;
      readonly isRandomAccess: boolean;
      readonly position: Position;
    },
  ): Pick<AccessUnit, 'offset' | 'length'> {
    const due = this.#takeTables(unit.offset90k);
    // The lead is fixed: a unit carries the PCR only at exactly its time.
    const carriesPcr = stream === this.#pcrStream && due?.at90k === unit.offset90k;
    const pcr90k = carriesPcr ? due.pcr90k : undefined;
    const first: FirstPacket = { isRandomAccess: unit.isRandomAccess, pcr90k };
    const counter = this.#packets[stream];
    const packets = planPackets(packetsNeeded(pes.length, first), counter, unit.position);
    const out = packetise(pes, { pid: PID[stream], counter, packets, first });
    if (due === undefined) this.#write(out);
    else if (carriesPcr) this.#write(Buffer.concat([due.tables, out]));
    else this.#write(Buffer.concat([due.tables, this.#lonePcr(due.pcr90k), out]));
    this.#packets[stream] += packets;
    return { offset: this.bytes - out.length, length: out.length };
  }

  /** The tables and the PCR due at or before a time; units are never further apart than the tables, so one set at most. */
  #takeTables(
    offset90k: number,
  ): { at90k: number; tables: Uint8Array; pcr90k: number } | undefined {
    const at90k = this.#tables * TABLES_PERIOD_90K;
    if (at90k > offset90k) return undefined;
    const tables = tablesAt(this.#tables, this.#options.hasVideo);
    this.#tables += 1;
    return { at90k, tables, pcr90k: wrap90k(this.#options.pts90k + at90k - PCR_LEAD_90K) };
  }

  get #pcrStream(): 'video' | 'audio' {
    return this.#options.hasVideo ? 'video' : 'audio';
  }

  #lonePcr(pcr90k: number): Buffer {
    const lastCounter = this.#packets[this.#pcrStream] + COUNTER_MODULUS - 1;
    return pcrPacket(PID[this.#pcrStream], lastCounter, pcr90k);
  }

  #write(packets: Uint8Array): void {
    this.bytes += packets.length;
    this.#options.write(packets);
  }
}

/**
 * How many packets a PES is split into. The last one makes its PID's total a multiple of 16. The smallest AAC frames cannot be split
 * into 16, so the last but one leaves at most 9 to make up.
 */
function planPackets(needed: number, packetsBefore: number, position: Position): number {
  const missing =
    (COUNTER_MODULUS - ((packetsBefore + needed) % COUNTER_MODULUS)) % COUNTER_MODULUS;
  switch (position) {
    case 'inner':
      return needed;
    case 'last-but-one':
      return missing === 0
        ? needed + COUNTER_MODULUS - MAX_LAST_SOUND_PACKETS
        : needed + Math.max(0, missing - MAX_LAST_SOUND_PACKETS);
    case 'last':
      return needed + missing;
  }
}
