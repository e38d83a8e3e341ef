/** Where a segment's bytes are: finished recordings may be packed, so a place is never just a name. */
export type SegmentPlace = {
  /** Key in the object store. */
  readonly object: string;
  /** Byte offset within the object. */
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
};

/** One access unit (video) in a segment's file, so that clips are cut without parsing. */
export type AccessUnit = {
  /** Byte offset of the first transport packet of its PES, from the start of the segment. */
  readonly offset: number;
  /** Bytes from that packet to the end of its last one. */
  readonly length: number;
  /** Ticks of 90 kHz from the segment's start: a multiple of the slot length. */
  readonly offset90k: number;
  readonly isKey: boolean;
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
};
