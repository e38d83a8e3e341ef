import { slotsPerSegment, type GridFps } from '../../src/model/grid.ts';
import { avcCodecString, avcMaxBitrate } from '../../src/media/avc-level.ts';

/**
 * The encoder shares out its bits as if every slot were filled, four slots' bits to a key picture: so few that text gets coarser
 * every 1.6 s, by 6 dB (measured at 720p30 and 3 Mb/s). For a key picture it is therefore told the bitrate that gives it the
 * four slots' bits of these rates: a quarter of a segment's bits when the page moves, half when it is still, within its level.
 */
const KEY_RATE = { moving: 10, still: 5 } as const;
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
  const configure = (bitrate: number): void => {
    encoder.configure({
      codec: avcCodecString({ width, height, fps }),
      width,
      height,
      framerate: fps,
      bitrate,
      bitrateMode: 'variable',
      latencyMode: 'realtime',
      avc: { format: 'annexb' },
    });
  };
  const stillUpTo = slotsPerSegment(fps) * STILL_SHARE;
  let freshPictures = Infinity;
  let isAfterKey = false;
  configure(videoBitrate);
  return {
    get queueSize() {
      return encoder.encodeQueueSize;
    },
    encode: (picture, { isKey, isFresh }) => {
      if (isKey) {
        configure(keyBitrate(options, freshPictures <= stillUpTo ? 'still' : 'moving'));
        freshPictures = 0;
      } else if (isAfterKey) configure(videoBitrate);
      isAfterKey = isKey;
      if (isFresh) freshPictures += 1;
      encoder.encode(picture, { keyFrame: isKey });
    },
    flush: () => encoder.flush(),
  };
}

/** Bits per second; more than the level allows would change the parameter sets. */
function keyBitrate(options: PictureEncoderOptions, page: keyof typeof KEY_RATE): number {
  const { fps, videoBitrate } = options;
  const wanted = (videoBitrate * fps) / KEY_RATE[page];
  return Math.max(videoBitrate, Math.min(wanted, avcMaxBitrate(options)));
}
