import { ChalkreelError } from '../../errors.ts';
import {
  AAC_FRAME_TICKS,
  AAC_FRAMES_PER_SEGMENT,
  PTS_MODULUS,
  SEGMENT_TICKS,
} from '../../model/grid.ts';
import type { AccessUnitIndex } from '../../model/segment.ts';
import { ADTS_HEADER_BYTES, MAX_ADTS_FRAME_BYTES } from '../aac.ts';
import { findParameterSets, findPictureType, NAL_TYPE } from '../h264.ts';
import { hashCodec } from './codec-hash.ts';
import { SegmentMultiplexer, type Picture } from './segment-multiplexer.ts';

export type SegmentWriterOptions = {
  /** First PTS of the segment, ticks of 90 kHz modulo 2^33. */
  readonly pts90k: number;
  /** Length of a video slot in ticks; undefined for sound only (PCR is then on the audio PID). */
  readonly slotTicks: number | undefined;
  /** Takes transport packets as soon as they are final, in file order: multiples of 188 bytes, never written to again. */
  readonly write: (packets: Uint8Array) => void;
};

/**
 * Writes one segment of the grid as MPEG-TS (ISO/IEC 13818-1). Video and sound may be handed in independently,
 * each in order; packets leave as soon as both have progressed far enough to be interleaved. What is handed in must stay as it is
 * until the segment is finished. Bad input throws `segment-input` and leaves the writer as it was.
 */
export type SegmentWriter = {
  /**
   * Takes one picture. `offset90k` is its slot's start, ticks from the segment's start: rising, the first 0 and a key frame,
   * the last the last slot. `data` is an Annex B access unit, with or without delimiter (one is added when missing); a key
   * frame is an IDR picture with SPS and PPS, the same in the whole segment.
   */
  writeVideo(unit: Picture): void;
  /** Takes one raw AAC-LC frame (48 kHz stereo, no ADTS header), the next of the segment's 75. */
  writeAudio(frame: Uint8Array): void;
  /** True when the last slot's picture and all 75 AAC frames are in. */
  readonly isComplete: boolean;
  /** Writes the last packets and returns the summary of a complete segment; to be called once. Throws `segment-incomplete` when something is missing. */
  finish(): SegmentSummary;
};

export type SegmentSummary = {
  readonly bytes: number;
  /** Where pictures and sound are in it; also written behind them, see `findAccessUnitIndex`. */
  readonly accessUnits: AccessUnitIndex;
  /** Hash of SPS, PPS and the audio configuration, 16 hex digits: equal settings give equal hashes. */
  readonly codecHash: string;
};

/** Starts a segment. Throws `segment-input` when PTS or slot length are off the grid. */
export function createSegmentWriter(options: SegmentWriterOptions): SegmentWriter {
  return new GridSegmentWriter(options);
}

class GridSegmentWriter implements SegmentWriter {
  readonly #slotTicks: number | undefined;
  readonly #multiplexer: SegmentMultiplexer;
  readonly #pictures: Picture[] = [];
  readonly #frames: Uint8Array[] = [];
  #framesIn = 0;
  #framesOut = 0;
  #lastOffset90k: number | undefined;
  #codecHash: string | undefined;

  constructor(options: SegmentWriterOptions) {
    const { pts90k, slotTicks, write } = options;
    checkOptions(options);
    this.#slotTicks = slotTicks;
    const hasVideo = slotTicks !== undefined;
    this.#multiplexer = new SegmentMultiplexer({ pts90k, hasVideo, write });
    if (!hasVideo) this.#codecHash = hashCodec([]);
  }

  writeVideo(unit: Picture): void {
    this.#checkSlot(unit);
    const codecHash = checkPicture(unit, this.#codecHash);
    this.#codecHash ??= codecHash;
    this.#lastOffset90k = unit.offset90k;
    this.#pictures.push(unit);
    this.#interleave();
  }

  writeAudio(frame: Uint8Array): void {
    checkFrame(frame, this.#framesIn);
    this.#framesIn += 1;
    this.#frames.push(frame);
    this.#interleave();
  }

  get isComplete(): boolean {
    return this.#isVideoIn && this.#framesIn === AAC_FRAMES_PER_SEGMENT;
  }

  finish(): SegmentSummary {
    if (!this.isComplete || this.#codecHash === undefined) {
      const picture =
        this.#slotTicks === undefined ? 'no picture' : `a picture at ${this.#lastSlot}`;
      throw new ChalkreelError(
        'segment-incomplete',
        `Expected ${picture} and ${AAC_FRAMES_PER_SEGMENT} AAC frames; ` +
          `the last picture is at ${this.#lastOffset90k ?? 'none'} (ticks of 90 kHz from the segment's start), ` +
          `${this.#framesIn} AAC frames came.`,
      );
    }
    const accessUnits = this.#multiplexer.writeIndex();
    return { bytes: this.#multiplexer.bytes, accessUnits, codecHash: this.#codecHash };
  }

  get #lastSlot(): number {
    return SEGMENT_TICKS - (this.#slotTicks ?? 0);
  }

  get #isVideoIn(): boolean {
    return this.#slotTicks === undefined || this.#lastOffset90k === this.#lastSlot;
  }

  #checkSlot({ offset90k }: Picture): void {
    const slotTicks = this.#slotTicks;
    if (slotTicks === undefined) fail('Expected no picture in a segment of sound only.');
    const last = this.#lastOffset90k;
    const least = last === undefined ? 0 : last + slotTicks;
    const isFirstMisplaced = last === undefined && offset90k !== 0;
    const isOffGrid = !Number.isInteger(offset90k / slotTicks) || offset90k > this.#lastSlot;
    if (offset90k < least || isFirstMisplaced || isOffGrid) {
      const expected = last === undefined ? '0' : `a multiple of ${slotTicks} from ${least}`;
      fail(
        `Expected a picture at ${expected} (up to ${this.#lastSlot}) ticks of 90 kHz from the segment's start, ` +
          `got one at ${offset90k}.`,
      );
    }
  }

  /** Writes whatever nothing earlier can come before: by time, at equal times the picture first. */
  #interleave(): void {
    for (;;) {
      const picture = this.#pictures[0];
      const frame = this.#frames[0];
      if (picture !== undefined && picture.offset90k <= this.#nextFrame90k) {
        this.#pictures.shift();
        this.#multiplexer.writePicture(picture, picture.offset90k === this.#lastSlot);
      } else if (frame !== undefined && this.#nextFrame90k < this.#earliestPicture90k) {
        this.#frames.shift();
        this.#framesOut += 1;
        this.#multiplexer.writeFrame(frame);
      } else return;
    }
  }

  /** When the next AAC frame to be written is due, whether it is here or not. */
  get #nextFrame90k(): number {
    return this.#framesOut < AAC_FRAMES_PER_SEGMENT ? this.#framesOut * AAC_FRAME_TICKS : Infinity;
  }

  /** The earliest time a picture not yet written can have. */
  get #earliestPicture90k(): number {
    const waiting = this.#pictures[0];
    if (waiting !== undefined) return waiting.offset90k;
    if (this.#isVideoIn || this.#slotTicks === undefined) return Infinity;
    return this.#lastOffset90k === undefined ? 0 : this.#lastOffset90k + this.#slotTicks;
  }
}

function checkOptions({ pts90k, slotTicks }: SegmentWriterOptions): void {
  if (!Number.isInteger(pts90k) || pts90k < 0 || pts90k >= PTS_MODULUS) {
    fail(`Expected a first PTS from 0 to 2^33 − 1 ticks of 90 kHz, got ${pts90k}.`);
  }
  if (slotTicks === undefined) return;
  if (!Number.isInteger(slotTicks) || slotTicks <= 0 || SEGMENT_TICKS % slotTicks !== 0) {
    fail(`Expected a slot length that divides ${SEGMENT_TICKS} ticks of 90 kHz, got ${slotTicks}.`);
  }
}

/** Checks a picture's type and parameter sets; returns the codec's hash, for a key frame its own. */
function checkPicture(unit: Picture, known: string | undefined): string | undefined {
  const { offset90k, isKey, data } = unit;
  const type = findPictureType(data);
  const expected = isKey ? NAL_TYPE.idrSlice : NAL_TYPE.slice;
  if (type !== expected) {
    const kind = isKey ? 'an IDR' : 'a non-IDR';
    fail(`Expected ${kind} picture (NAL type ${expected}) at ${offset90k}, got ${type ?? 'none'}.`);
  }
  if (!isKey) {
    if (known === undefined) fail(`Expected a key frame at ${offset90k}, got another picture.`);
    return known;
  }
  const { sps, pps } = findParameterSets(data);
  if (sps.length === 0 || pps.length === 0) {
    fail(
      `Expected SPS and PPS in the key frame at ${offset90k}, got ${sps.length} and ${pps.length}.`,
    );
  }
  const codecHash = hashCodec([...sps, ...pps]);
  if (known !== undefined && codecHash !== known) {
    fail(
      `Expected the segment's parameter sets (${known}) in the key frame at ${offset90k}, got ${codecHash}.`,
    );
  }
  return codecHash;
}

function checkFrame(frame: Uint8Array, framesBefore: number): void {
  if (framesBefore === AAC_FRAMES_PER_SEGMENT) {
    fail(`Expected ${AAC_FRAMES_PER_SEGMENT} AAC frames in a segment, got one more.`);
  }
  const max = MAX_ADTS_FRAME_BYTES - ADTS_HEADER_BYTES;
  if (frame.length === 0 || frame.length > max) {
    fail(`Expected AAC frame ${framesBefore} to have 1 to ${max} bytes, got ${frame.length}.`);
  }
  if (frame[0] === 0xff && ((frame[1] ?? 0) & 0xf6) === 0xf0) {
    fail(`Expected AAC frame ${framesBefore} raw, got one with an ADTS header.`);
  }
}

function fail(message: string): never {
  throw new ChalkreelError('segment-input', message);
}
