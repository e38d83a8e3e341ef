/** Length of a transport packet (ISO/IEC 13818-1 §2.4.3.2). */
export const PACKET_BYTES = 188;
/** What a transport packet without adaptation field carries. */
export const PAYLOAD_BYTES = 184;
export const SYNC_BYTE = 0x47;

/** Where Chalkreel's streams are, in every segment alike. */
export const PID = {
  pat: 0x0000,
  pmt: 0x1000,
  video: 0x0100,
  audio: 0x0101,
  /** Null packets, which every reader passes over (ISO/IEC 13818-1 §2.4.3.3). */
  null: 0x1fff,
} as const;

/** ISO/IEC 13818-1 table 2-34. */
export const STREAM_TYPE = { h264: 0x1b, adtsAac: 0x0f } as const;

/** PES stream ids of the first video and the first audio stream (ISO/IEC 13818-1 table 2-22). */
export const STREAM_ID = { video: 0xe0, audio: 0xc0 } as const;

/** Values of the continuity counter: each PID carries a multiple of this in every segment. */
export const COUNTER_MODULUS = 16;

/** PAT, PMT and PCR come this often: 100 ms, 16 times a segment (ISO/IEC 13818-1 §2.7.2: PCR at most 100 ms apart). */
export const TABLES_PERIOD_90K = 9000;

/** PCR is this far before the time of what follows it: 700 ms, so that even a byte at a period's end has 600. */
export const PCR_LEAD_90K = 63_000;
