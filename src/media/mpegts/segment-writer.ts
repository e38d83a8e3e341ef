import type { AccessUnit } from '../../model/segment.ts';

/** CONTRACT (implementation follows): see the functions below. */
export type SegmentWriterOptions = {
  /** First PTS of the segment, ticks of 90 kHz modulo 2^33. */
  readonly pts90k: number;
  /** Length of a video slot in ticks; undefined for sound only (PCR is then on the audio PID). */
  readonly slotTicks: number | undefined;
  /** Takes transport packets as soon as they are final, in file order: multiples of 188 bytes. */
  readonly write: (packets: Uint8Array) => void;
};

/**
 * Writes one segment of the grid as MPEG-TS (ISO/IEC 13818-1). Video and sound may be handed in independently,
 * each in order; packets leave as soon as both have progressed far enough to be interleaved.
 */
export type SegmentWriter = {
  /**
   * One picture. `offset90k` is its slot's start from the segment's start: the first must be 0 and a key frame,
   * the last must be the last slot. `data` is an Annex B access unit, without or with AUD (one is added when missing); a key
   * frame must hold SPS and PPS.
   */
  writeVideo(unit: {
    readonly offset90k: number;
    readonly isKey: boolean;
    readonly data: Uint8Array;
  }): void;
  /** One raw AAC-LC frame (no ADTS header), the next of the segment's 75. */
  writeAudio(frame: Uint8Array): void;
  /** True when the last slot's picture and all 75 AAC frames are in. */
  readonly isComplete: boolean;
  /** Flushes and returns the summary. Throws `segment-incomplete` when something is missing. */
  finish(): SegmentSummary;
};

export type SegmentSummary = {
  readonly bytes: number;
  readonly accessUnits: readonly AccessUnit[];
  /** Hash of SPS, PPS and the audio configuration: equal settings give equal hashes. */
  readonly codecHash: string;
};
