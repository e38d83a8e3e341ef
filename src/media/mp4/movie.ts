/** Numbers of a table, in order: typed arrays where there may be millions. */
export type Column = readonly number[] | Uint32Array;

/** Run lengths: `counts[i]` samples in a row have `values[i]`. */
export type Runs = { readonly counts: Column; readonly values: Column };

/** The sample entry of a video track. */
export type AvcDescription = {
  /** Parameter sets without start codes; ids must not collide. */
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
};

/** The sample entry of a video track as an encoder describes it. */
export type CodedDescription = {
  /** ISO/IEC 14496-15, and the AV1 binding. */
  readonly format: 'avc1' | 'hvc1' | 'av01';
  /** The box `avcC`, `hvcC` or `av1C`, whole. */
  readonly config: Uint8Array;
};

export type VideoTrack = {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly description: AvcDescription | CodedDescription;
  /** Bytes of each sample, in decoding order. */
  readonly sizes: Column;
  /** Ticks of 90 kHz. */
  readonly durations: Runs;
  /** By how much each sample is shown later than decoded, ticks. Without them decoding order is presentation order: there are no B pictures. */
  readonly compositionOffsets?: Runs | undefined;
  /** Where the presentation begins on the track's own time line, ticks: the offset of its first picture. Default 0. */
  readonly startTicks?: number | undefined;
  /** Samples that are IDR pictures, from 0, rising. */
  readonly keys: Column;
};

export type AudioTrack = {
  /** ISO/IEC 14496-3 §1.6.2.1. */
  readonly audioSpecificConfig: Uint8Array;
  readonly channels: number;
  /** Samples (48 kHz) decoded but not played before the movie starts: the edit's media time. */
  readonly skipSamples: number;
  /** Bytes of each AAC frame. */
  readonly sizes: Column;
};

/** How the media lies in the file: in blocks one after the other, each some pictures and then some frames. */
export type Blocks = {
  readonly pictures: Column;
  readonly frames: Column;
};

export type Mp4Movie = {
  /** Exact length of the presentation, ticks of 90 kHz. */
  readonly durationTicks: number;
  /** Unix ms; said in the headers. Equal movies with equal times are equal files. */
  readonly createdAtMs: number;
  /** Undefined when there is only sound. */
  readonly video: VideoTrack | undefined;
  /** Undefined when there are only pictures. */
  readonly audio: AudioTrack | undefined;
  readonly blocks: Blocks;
};

/** Ticks per second of the movie header and of edit durations: a whole number of ticks in every ms. */
export const MOVIE_TIMESCALE = 90_000;
export const VIDEO_TIMESCALE = 90_000;
export const AUDIO_TIMESCALE = 48_000;
