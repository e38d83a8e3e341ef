import { slotsPerSegment, type GridFps } from '../../src/model/grid.ts';
import { avcCodecString } from '../../src/media/avc-level.ts';

/**
 * Pictures a second that the encoder is told of while it encodes a key picture: a quarter of the bits of 1.6 s go there
 * when the page moves, half of them when it is still. Told the true rate it gives a key picture so few that text gets visibly
 * coarser every 1.6 s, by 6 dB (measured at 720p30 and 3 Mb/s); so it steps by 1 to 2 dB.
 */
const KEY_FRAMERATE = { moving: 10, still: 5 } as const;
/** Still is a page that drew in no more than this share of the slots of the last segment. */
const STILL_SHARE = 0.1;

export type PictureEncoder = {
  /** Pictures handed in and not yet encoded. */
  readonly queueSize: number;
  /** Encodes the next picture: `isFresh` unless it was encoded before. The caller closes it. */
  encode(picture: VideoFrame, place: { readonly isKey: boolean; readonly isFresh: boolean }): void;
  flush(): Promise<void>;
};

export type PictureEncoderOptions = {
  readonly width: number;
  readonly height: number;
  readonly fps: GridFps;
  readonly videoBitrate: number;
  readonly onChunk: (chunk: EncodedVideoChunk) => void;
  readonly onFailed: (error: unknown) => void;
};

/** Starts an H.264 encoder (Annex B, parameter sets in every key picture) that shares out its bits by segment. */
export function startPictureEncoder(options: PictureEncoderOptions): PictureEncoder {
  const { width, height, fps, videoBitrate, onChunk, onFailed } = options;
  const encoder = new VideoEncoder({ output: onChunk, error: onFailed });
  const configure = (framerate: number): void => {
    encoder.configure({
      codec: avcCodecString({ width, height, fps }),
      width,
      height,
      framerate,
      bitrate: videoBitrate,
      bitrateMode: 'variable',
      latencyMode: 'realtime',
      avc: { format: 'annexb' },
    });
  };
  const stillUpTo = slotsPerSegment(fps) * STILL_SHARE;
  let freshPictures = Infinity;
  let isAfterKey = false;
  configure(fps);
  return {
    get queueSize() {
      return encoder.encodeQueueSize;
    },
    encode: (picture, { isKey, isFresh }) => {
      if (isKey) {
        configure(Math.min(fps, KEY_FRAMERATE[freshPictures <= stillUpTo ? 'still' : 'moving']));
        freshPictures = 0;
      } else if (isAfterKey) configure(fps);
      isAfterKey = isKey;
      if (isFresh) freshPictures += 1;
      encoder.encode(picture, { keyFrame: isKey });
    },
    flush: () => encoder.flush(),
  };
}
