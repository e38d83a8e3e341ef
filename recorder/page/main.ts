import {
  recorderPageConfigSchema,
  type RecorderPageConfig,
} from '../../src/protocol/recorder-link.ts';
import CaptureWorker from './worker.ts?worker';
import type { WorkerStart } from './worker.ts';

/** The recorder tab: captures the classroom tab and hands picture and sound to the worker that encodes them. */

declare global {
  interface Window {
    /** Called by the worker process with a user gesture, once, with a RecorderPageConfig. Resolves when capture runs. */
    chalkreelCapture: (config: unknown) => Promise<void>;
  }
}

/** Loads while Chrome is still opening the classroom tab. */
const worker = new CaptureWorker();

window.chalkreelCapture = async (given) => {
  const config = recorderPageConfigSchema.parse(given);
  const stream = await navigator.mediaDevices.getDisplayMedia(constraints(config));
  const [video] = stream.getVideoTracks();
  const [audio] = stream.getAudioTracks();
  if (video === undefined || audio === undefined) {
    throw new Error('tab capture gave no picture or no sound');
  }
  const start: WorkerStart = {
    config,
    video: config.media === 'audio' ? undefined : readFrames(video),
    audio: new MediaStreamTrackProcessor({ track: audio, maxBufferSize: 100 }).readable,
  };
  // A tab's sound cannot be captured without its picture, but goes on when the picture's capture is ended.
  if (start.video === undefined) video.stop();
  const streams = start.video === undefined ? [start.audio] : [start.video, start.audio];
  worker.postMessage(start, streams as unknown as Transferable[]);
};

/**
 * Frames that wait while the worker cannot read. What comes beyond is thrown away, uncounted: with 2, four WebRTC streams on two busy cores
 * filled 92 to 96 % of their slots, with 6 they fill 98 to 99 (`bench -- glass`). Chrome captures into about ten in all.
 */
const FRAMES_IN_LINE = 6;

function readFrames(track: MediaStreamVideoTrack): ReadableStream<VideoFrame> {
  return new MediaStreamTrackProcessor({ track, maxBufferSize: FRAMES_IN_LINE }).readable;
}

/** Voice processing must be off, or sound is mono and processed. */
function constraints(config: RecorderPageConfig): DisplayMediaStreamOptions {
  return {
    video: {
      width: config.width,
      height: config.height,
      frameRate: config.fps,
    },
    audio: {
      echoCancellation: false,
      noiseSuppression: false,
      autoGainControl: false,
      channelCount: 2,
    },
  };
}
