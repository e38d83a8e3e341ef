import type { Log } from '../log.ts';
import type { Closable } from '../lifecycle.ts';
import { startCamera, type Camera, type CameraOutput } from './camera.ts';
import type { CastMember } from './cast.ts';
import { FragmentReader } from './fragments.ts';
import { LiveStream } from './live-stream.ts';
import type { CameraLoop } from './loops.ts';

/** Pause before a dead camera is started again, where that is asked for. */
const RESTART_AFTER_MS = 3000;

export type CameraFeedOptions = {
  readonly member: CastMember;
  readonly loop: CameraLoop;
  readonly output: CameraOutput;
  readonly log: Log;
  /** Start a camera that died again, after 3 s. */
  readonly restarts: boolean;
};

/** One participant's camera, and the live HLS stream made of it unless it sends RTP. Notices when the generator dies. */
export class CameraFeed implements Closable {
  readonly member: CastMember;
  readonly stream = new LiveStream();
  readonly #options: CameraFeedOptions;
  #camera: Camera | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: CameraFeedOptions) {
    this.#options = options;
    this.member = options.member;
    this.#start();
  }

  /** Process id of the generator; undefined while there is none. */
  get pid(): number | undefined {
    return this.#camera?.pid;
  }

  /** Kills the generator, as an accident would. Resolves when it is gone; a restart is not prevented. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const camera = this.#camera;
    camera?.kill(signal);
    await camera?.ended;
  }

  /** Ends the generator if it runs, and starts a new one. */
  async restart(): Promise<void> {
    clearTimeout(this.#retry);
    const camera = this.#camera;
    this.#camera = undefined;
    await camera?.close();
    if (!this.#closed) this.#start();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#camera?.close();
  }

  #start(): void {
    const camera = startCamera(this.#options.loop, this.#options.output);
    const reader = new FragmentReader();
    this.#camera = camera;
    this.stream.begin();
    camera.media.on('data', (chunk: Buffer) => {
      // with RTP it is only a description of what is sent
      if (this.#camera !== camera || this.#options.output.kind === 'rtp') return;
      for (const fragment of reader.push(chunk)) {
        if (reader.init !== undefined) this.stream.append(reader.init, fragment, Date.now());
      }
    });
    void camera.ended.then((end) => {
      if (this.#camera !== camera) return;
      this.#camera = undefined;
      this.stream.end();
      if (this.#closed) return;
      const { participantId } = this.member;
      this.#options.log.warn({ participantId, pid: camera.pid, ...end }, 'camera ended');
      if (this.#options.restarts)
        this.#retry = setTimeout(() => {
          this.#start();
        }, RESTART_AFTER_MS);
    });
  }
}
