/** One picture or one sound frame as the tables know it. */
export type Mp4Sample = {
  /** Bytes. */
  readonly size: number;
  /** In the track's timescale: 90 000 for video, 48 000 for sound. */
  readonly duration: number;
};

export type VideoSample = Mp4Sample & { readonly isKey: boolean };

export type VideoTrack<Sample extends VideoSample = VideoSample> = {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** All sequence and picture parameter sets the samples use, without start codes; ids must not collide. */
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
  /** In decoding order, which is presentation order: there are no B pictures. */
  readonly samples: readonly Sample[];
};

export type AudioTrack<Sample extends Mp4Sample = Mp4Sample> = {
  /** ISO/IEC 14496-3 §1.6.2.1. */
  readonly audioSpecificConfig: Uint8Array;
  readonly channels: number;
  /** Samples (48 kHz) decoded but not played before the movie starts: the edit's media time. */
  readonly skipSamples: number;
  readonly samples: readonly Sample[];
};

export type Mp4Movie<V extends VideoSample = VideoSample, A extends Mp4Sample = Mp4Sample> = {
  /** Exact length of the presentation, ticks of 90 kHz. */
  readonly durationTicks: number;
  /** Unix ms; said in the headers. Equal movies with equal times are equal files. */
  readonly createdAtMs: number;
  /** Undefined when there is only sound. */
  readonly video: VideoTrack<V> | undefined;
  readonly audio: AudioTrack<A>;
};

/** Ticks per second of the movie header and of edit durations: a whole number of ticks in every ms. */
export const MOVIE_TIMESCALE = 90_000;
export const VIDEO_TIMESCALE = 90_000;
export const AUDIO_TIMESCALE = 48_000;
