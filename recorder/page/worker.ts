import type { RecorderPageConfig } from '../../src/protocol/recorder-link.ts';
import { boundaryAtOrBefore, isGridFps } from '../../src/model/grid.ts';
import { openLink, type Link } from './link.ts';
import { NoPicture } from './no-picture.ts';
import { startPicture, type Picture } from './picture.ts';
import { startSound, type Sound } from './sound.ts';

/** What the recorder tab hands to this worker. */
export type WorkerStart = {
  readonly config: RecorderPageConfig;
  /** Absent when only sound is kept. */
  readonly video: ReadableStream<VideoFrame> | undefined;
  readonly audio: ReadableStream<AudioData>;
};

/** How often slots and sound are looked at; below the shortest slot (16.7 ms at 60 fps). */
const TICK_MS = 10;
const STATS_MS = 500;

self.onmessage = (event: MessageEvent<WorkerStart>) => {
  void run(event.data);
};

async function run(start: WorkerStart): Promise<void> {
  const link = await openLink(start.config);
  const onFailed = (code: string) => (error: unknown) => {
    link.send({ type: 'failed', code, message: String(error) });
  };
  try {
    if (!isGridFps(start.config.fps))
      throw new RangeError(`${start.config.fps} fps is off the grid`);
    const options = { ...start.config, fps: start.config.fps, link };
    const [picture, sound] = await Promise.all([
      start.video === undefined
        ? new NoPicture(link)
        : startPicture({ ...options, frames: start.video, onFailed: onFailed('picture-failed') }),
      startSound({ ...options, samples: start.audio, onFailed: onFailed('sound-failed') }),
    ]);
    link.send({ type: 'ready', sampleRate: sound.inputRate });
    record(link, picture, sound);
  } catch (error) {
    onFailed('capture-failed')(error);
  }
}

/** Waits for `start`, records, and ends at the asked boundary. */
function record(link: Link, picture: Picture, sound: Sound): void {
  let hasEnded = false;
  let statsAtMs = 0;
  let socketQueueMaxBytes = 0;

  picture.onBegun = (firstFrameMs) => {
    const originMs = boundaryAtOrBefore(firstFrameMs);
    link.send({ type: 'origin', originMs, firstFrameMs });
    sound.follow(picture.latenessMs);
    sound.begin(originMs, firstFrameMs);
  };
  link.onMessage = (message) => {
    if (message.type === 'start') picture.begin();
    else if (message.type === 'stop') {
      picture.endAt(message.endMs);
      sound.endAt(message.endMs);
    }
  };
  const stats = () => ({
    ...picture.stats(),
    ...sound.stats(),
    socketQueueMaxBytes,
  });

  setInterval(() => {
    if (hasEnded) return;
    const nowMs = link.nowMs();
    picture.tick(nowMs);
    sound.follow(picture.latenessMs);
    sound.tick(nowMs);
    socketQueueMaxBytes = Math.max(socketQueueMaxBytes, link.bufferedBytes);
    if (nowMs - statsAtMs >= STATS_MS) {
      statsAtMs = nowMs;
      link.send({ type: 'stats', stats: stats() });
    }
    if (picture.isDone && sound.isDone) {
      hasEnded = true;
      sound.flush();
      void picture.flush().then(() => {
        link.send({ type: 'ended', stats: stats() });
      });
    }
  }, TICK_MS);
}
