import type { SegmentEntry } from './segment.ts';

/** What pictures of the archive are coded as. */
export const REENCODE_CODECS = ['avc', 'hevc', 'av1'] as const;
export type ReencodeCodec = (typeof REENCODE_CODECS)[number];

/** What the archive is kept as: one fast-start file, HLS of MPEG-TS (AVC only), HLS of CMAF. */
export const REENCODE_OUTPUTS = ['mp4', 'hls-ts', 'hls-cmaf'] as const;
export type ReencodeOutputKind = (typeof REENCODE_OUTPUTS)[number];

/** The ladder's rungs: pixels of the picture's shorter side. */
export const REENCODE_HEIGHTS = [240, 360, 480, 720, 1080] as const;

/** What a re-encode must reach: luma SSIM on the ten-log scale, dB, of the whole and of the worst picture. */
export type QualityTarget = {
  readonly ssimDb: number;
  readonly worstFrameDb: number;
};

/** What was reached; measured against the source's pictures, scaled as the profile scales them. */
export type ReencodeQuality = {
  readonly ssimDb: number;
  readonly worstFrameDb: number;
  /** The worst picture's time, ms from the recording's origin. */
  readonly worstFrameAtMs: number;
  /** Pictures within two of a chunk's border, where there is one. */
  readonly seamSsimDb: number | null;
};

/** How pictures are encoded. Everything here changes bytes, and so is part of a chunk's name. */
export type ReencodeVideo = {
  readonly codec: ReencodeCodec;
  /** Pixels of the shorter side; never more than the source has, unless `mayUpscale`. */
  readonly height: number;
  readonly mayUpscale: boolean;
  /** The encoder's own word; of AV1 a number. */
  readonly preset: string;
  /** Threads of one encoder: fixed, since some encoders' output depends on it. */
  readonly threads: number;
  /** Segments from one IDR picture to the next; a chunk may be given a longer GOP where nothing moves, up to `maxGopSegments`. */
  readonly gopSegments: number;
  readonly maxGopSegments: number;
  /** Fixed CRF; null: the highest that meets `quality` is looked for. */
  readonly crf: number | null;
  readonly quality: QualityTarget;
  /** Further settings of the encoder, by its own names; allow-listed by protocol/reencode.ts. */
  readonly encoderArgs: Readonly<Record<string, string>>;
};

/** Sound as it was recorded, or encoded once for the whole; bits per second. */
export type ReencodeAudio =
  { readonly mode: 'copy' } | { readonly mode: 'encode'; readonly bitrate: number };

/** What a recording is re-encoded into. The same profile of the same segments always gives the same bytes. */
export type ReencodeProfile = {
  /** Part of object keys: lower case, digits, dashes. */
  readonly name: string;
  /** Null: sound alone. */
  readonly video: ReencodeVideo | null;
  readonly audio: ReencodeAudio;
  readonly outputs: readonly ReencodeOutputKind[];
  /** Path of an ffmpeg of one's own; only from the operator's settings, never from a request. */
  readonly ffmpeg?: string | undefined;
};

/** A segment to be re-encoded: its number and bytes, all that its identity is. */
export type ChunkSegment = Pick<SegmentEntry, 'n' | 'place' | 'codecHash'>;

/** A run of segments that is re-encoded as one piece: without hole or change of codec, whole GOPs but at its end. */
export type Chunk = {
  /** Place in the plan, from 0. */
  readonly index: number;
  /** In order, numbers contiguous. */
  readonly segments: readonly ChunkSegment[];
  /** What follows them in the recording: shown to the encoder, which plans ahead, and not kept. */
  readonly leadOut?: readonly ChunkSegment[] | undefined;
};

/** What varies from recording to recording within a profile, or from chunk to chunk. */
export type ChunkSettings = {
  readonly crf: number;
  /** Default: the profile's. */
  readonly gopSegments?: number | undefined;
};

/** A chunk's output: two immutable objects, the tables being there last. Small: it is a job's return value. */
export type ChunkResult = {
  readonly index: number;
  /** Hash of input, settings, encoder, threads and CPU: 40 hex digits. */
  readonly name: string;
  /** Keys in the object store: coded samples one after the other, and JSON that says where they are. */
  readonly media: string;
  readonly tables: string;
  readonly pictures: number;
  /** Bytes of the coded pictures. */
  readonly bytes: number;
  readonly firstN: number;
  readonly segments: number;
  /** What encoded it: program, library and CPU, hashed. */
  readonly encoder: string;
  /** It was found done: 0 ms then. */
  readonly wasThere: boolean;
  readonly tookMs: number;
};

/** One object of a re-encode in the store; never changed. */
export type ReencodeObject = {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
};

/** One form of a re-encode. `entry` is the key that players open: the MP4, or the playlist. */
export type ReencodeOutput = {
  readonly kind: ReencodeOutputKind;
  readonly entry: string;
  readonly bytes: number;
  readonly objects: readonly ReencodeObject[];
};

/** What was proved of every output before it was swapped in. */
export type ReencodeProof = {
  readonly pictures: number;
  /** SHA-256 over the PTS of all pictures, ticks from the recording's origin: equal to the source's. */
  readonly ptsHash: string;
  readonly soundFrames: number;
  /** `copied`: every AAC frame byte for byte; `counted`: encoded, as many samples. */
  readonly sound: 'copied' | 'counted';
  /** Null for sound alone. */
  readonly quality: ReencodeQuality | null;
  readonly tookMs: number;
};

/** The source a re-encode was made of: another hash means that it is not of the recording as it is now. */
export type ReencodeSource = {
  readonly hash: string;
  readonly firstN: number;
  readonly lastN: number;
  readonly segments: number;
  readonly bytes: number;
};

/** `manifest.json` of a recording's profile: it names immutable objects, and is replaced in one step. Also the report. */
export type ReencodeManifest = {
  readonly version: 1;
  readonly recordingId: string;
  readonly profile: ReencodeProfile;
  readonly madeAtMs: number;
  /** Pixels; null for sound alone. */
  readonly width: number | null;
  readonly height: number | null;
  /** First to last segment, holes included. */
  readonly durationMs: number;
  /** Holes: the last picture stays, silent. */
  readonly missingMs: number;
  readonly source: ReencodeSource;
  readonly outputs: readonly ReencodeOutput[];
  readonly proof: ReencodeProof;
  readonly crf: { readonly least: number; readonly most: number } | null;
  /** Segments from IDR to IDR, the longest of any chunk. */
  readonly gopSegments: number | null;
  readonly chunks: number;
  /** Every encoder that took part: one, unless the fleet is mixed. */
  readonly encoders: readonly string[];
  readonly bytesBefore: number;
  /** Of the largest output. */
  readonly bytesAfter: number;
};

/** Where a recording's re-encode into a profile stands. */
export const REENCODE_STATES = [
  'waiting',
  'probing',
  'encoding',
  'joining',
  'proving',
  'completed',
  'failed',
  'cancelled',
] as const;
export type ReencodeState = (typeof REENCODE_STATES)[number];
