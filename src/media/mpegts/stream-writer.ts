import { AAC_FRAME_TICKS } from '../../model/grid.ts';
import { ADTS_HEADER_BYTES, writeAdtsHeader } from '../aac.ts';
import { COUNTER_MODULUS, PCR_LEAD_90K, PID, STREAM_ID, TABLES_PERIOD_90K } from './format.ts';
import {
  packetise,
  packetsNeeded,
  pcrPacket,
  PES_HEADER_BYTES,
  PES_HEADER_WITH_DTS_BYTES,
  writePesHeader,
  writePesHeaderWithDts,
} from './pes.ts';
import { tablesAt } from './psi.ts';
import { wrap90k } from './timestamps.ts';

/** A coded picture with its place in decoding order. Times are ticks from the stream's start. */
export type StreamPicture = {
  readonly pts: number;
  /** When it must have been decoded, but for the stream's fixed delay: rising from picture to picture. */
  readonly decodeAt: number;
  readonly isKey: boolean;
  /** Annex B, with delimiter; a key picture with SPS and PPS. */
  readonly data: Uint8Array;
};

/** AAC frames of one PES: 107 ms, so that headers cost little. */
const FRAMES_PER_PES = 5;

/**
 * Writes MPEG-TS (ISO/IEC 13818-1) that may have B pictures, segments of any length on the grid. Tables and PCR come every 100 ms; continuity
 * counters run through, from segment to segment.
 */
export class StreamWriter {
  readonly #options: {
    readonly startPts90k: number;
    readonly delay90k: number;
    readonly hasVideo: boolean;
  };
  readonly #packets = { video: 0, audio: 0 };
  #tables = 0;
  #nextTablesAt = 0;
  #out: Buffer[] = [];

  /** `startPts90k` is the PTS of time 0, modulo 2^33; `delay90k` the most by which a picture is shown later than decoded. */
  constructor(options: {
    readonly startPts90k: number;
    readonly delay90k: number;
    readonly hasVideo: boolean;
  }) {
    this.#options = options;
  }

  /**
   * One segment: its pictures in decoding order and its raw AAC frames, which begin at its start. `start` and times are ticks from the stream's start. It starts
   * with tables and PCR.
   */
  writeSegment(segment: {
    readonly start: number;
    readonly pictures: readonly StreamPicture[];
    readonly frames: readonly Uint8Array[];
  }): Buffer {
    const { start, pictures, frames } = segment;
    this.#nextTablesAt = start;
    let frame = 0;
    const writeFramesBefore = (at: number): void => {
      for (; frame < frames.length; frame += FRAMES_PER_PES) {
        const soundAt = start + frame * AAC_FRAME_TICKS;
        if (soundAt >= at) return;
        this.#writeFrames(soundAt, frames.slice(frame, frame + FRAMES_PER_PES));
      }
    };
    for (const picture of pictures) {
      writeFramesBefore(picture.decodeAt);
      this.#writePicture(picture);
    }
    writeFramesBefore(Infinity);
    const bytes = Buffer.concat(this.#out);
    this.#out = [];
    return bytes;
  }

  #writePicture({ pts, decodeAt, isKey, data }: StreamPicture): void {
    this.#writeTables(decodeAt);
    const pes = Buffer.allocUnsafe(PES_HEADER_WITH_DTS_BYTES + data.length);
    writePesHeaderWithDts(pes, {
      streamId: STREAM_ID.video,
      pts90k: this.#time(pts),
      dts90k: this.#time(decodeAt - this.#options.delay90k),
      elementaryBytes: data.length,
    });
    pes.set(data, PES_HEADER_WITH_DTS_BYTES);
    this.#writePes('video', pes, isKey);
  }

  #writeFrames(at: number, frames: readonly Uint8Array[]): void {
    this.#writeTables(at);
    const elementaryBytes = frames.reduce((sum, { length }) => sum + ADTS_HEADER_BYTES + length, 0);
    const pes = Buffer.allocUnsafe(PES_HEADER_BYTES + elementaryBytes);
    writePesHeader(pes, { streamId: STREAM_ID.audio, pts90k: this.#time(at), elementaryBytes });
    let end = PES_HEADER_BYTES;
    for (const frame of frames) {
      writeAdtsHeader(pes, end, frame.length);
      pes.set(frame, end + ADTS_HEADER_BYTES);
      end += ADTS_HEADER_BYTES + frame.length;
    }
    this.#writePes('audio', pes, !this.#options.hasVideo);
  }

  #writePes(stream: 'video' | 'audio', pes: Buffer, isRandomAccess: boolean): void {
    const first = { isRandomAccess, pcr90k: undefined };
    const packets = packetsNeeded(pes.length, first);
    const counter = this.#packets[stream];
    this.#out.push(packetise(pes, { pid: PID[stream], counter, packets, first }));
    this.#packets[stream] += packets;
  }

  /** Tables and PCR that are due at or before a time. */
  #writeTables(at: number): void {
    for (; this.#nextTablesAt <= at; this.#nextTablesAt += TABLES_PERIOD_90K) {
      const stream = this.#options.hasVideo ? 'video' : 'audio';
      const pcr90k = this.#time(this.#nextTablesAt - this.#options.delay90k - PCR_LEAD_90K);
      const lastCounter = this.#packets[stream] + COUNTER_MODULUS - 1;
      this.#out.push(
        Buffer.from(tablesAt(this.#tables, this.#options.hasVideo)),
        pcrPacket(PID[stream], lastCounter, pcr90k),
      );
      this.#tables += 1;
    }
  }

  #time(ticks: number): number {
    return wrap90k((this.#options.startPts90k + ticks) % 2 ** 33);
  }
}
