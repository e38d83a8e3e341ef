/** Where a segment's bytes are: finished recordings may be packed, so a place is never just a name. */
export type SegmentPlace = {
  /** Key in the object store. */
  readonly object: string;
  /** Byte offset within the object. */
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
};

/** One access unit in a segment's file: a picture, or an AAC frame. */
export type AccessUnit = {
  /** Byte offset of the first transport packet of its PES, from the start of the segment: a multiple of 188. */
  readonly offset: number;
  /** Bytes from that packet to the end of its last one: a multiple of 188, all of one PID. */
  readonly length: number;
  /** Ticks of 90 kHz from the segment's start: a multiple of the slot's length, for sound of 1920. */
  readonly offset90k: number;
  /** Can be decoded without what came before: an IDR picture; every AAC frame. */
  readonly isKey: boolean;
  /** Bytes of it as a sample of an MP4, so that a file can be laid out without its media: see `toAvcSample`; of sound the raw AAC frame. */
  readonly sampleBytes: number;
};

/** Where everything in a segment is, so that clips are cut without parsing. */
export type AccessUnitIndex = {
  /** PTS of the segment's start, ticks of 90 kHz modulo 2^33: a unit's PTS is this plus its `offset90k`. */
  readonly pts90k: number;
  /** In order; empty when there is only sound. */
  readonly pictures: readonly AccessUnit[];
  /** The 75 AAC frames, in order. */
  readonly frames: readonly AccessUnit[];
};

/** A segment as the index knows it. Immutable once appended. */
export type SegmentEntry = {
  /** Number on the recording's grid, from 0. */
  readonly n: number;
  /** Which of the recording's lanes made it (0 or 1), and under which epoch. */
  readonly lane: number;
  readonly epoch: number;
  readonly place: SegmentPlace;
  /** Parameter sets and audio configuration, hashed; a change means EXT-X-DISCONTINUITY. */
  readonly codecHash: string;
  /** When it became durable, Unix ms. */
  readonly publishedAtMs: number;
  /** Its maker died in it: only so much from its start was captured, ms; the rest is the held picture, and silence. */
  readonly spanMs?: number;
};
