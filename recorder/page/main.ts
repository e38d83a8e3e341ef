import {
  recorderPageConfigSchema,
  type RecorderPageConfig,
} from '../../src/protocol/recorder-link.ts';
import CaptureWorker from './worker.ts?worker';
import type { WorkerStart } from './worker.ts';

/** The recorder tab: captures the classroom tab and hands picture and sound to the worker that encodes them. */

declare global {
  interface Window {
    /** Called by the worker process with a user gesture, once. Resolves when capture runs. */
    chalkreelCapture: () => Promise<void>;
  }
}

window.chalkreelCapture = async () => {
  const config = readConfig();
  const stream = await navigator.mediaDevices.getDisplayMedia(constraints(config));
  const [video] = stream.getVideoTracks();
  const [audio] = stream.getAudioTracks();
  if (video === undefined || audio === undefined) {
    throw new Error('tab capture gave no picture or no sound');
  }
  const worker = new CaptureWorker();
  const start: WorkerStart = {
    config,
    video: new MediaStreamTrackProcessor({ track: video, maxBufferSize: 2 }).readable,
    audio: new MediaStreamTrackProcessor({ track: audio, maxBufferSize: 100 }).readable,
  };
  worker.postMessage(start, [start.video, start.audio] as unknown as Transferable[]);
};

function readConfig(): RecorderPageConfig {
  return recorderPageConfigSchema.parse(JSON.parse(decodeURIComponent(location.hash.slice(1))));
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
