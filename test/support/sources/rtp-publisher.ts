import { spawn, type ChildProcess } from 'node:child_process';
import type { Closable } from '../../../src/lifecycle.ts';
import { pictureClockFilters } from '../../../src/demo/picture-clock.ts';
import { AUDIO_PAYLOAD_TYPE, VIDEO_PAYLOAD_TYPE } from '../../../src/demo/sfu/janus-config.ts';

/** Pictures a second that a publisher sends: more than the ten a second that tests record, so that no slot lacks one. */
export const PUBLISHER_FPS = 15;

export type PublisherOptions = {
  readonly audioPort: number;
  readonly videoPort: number;
  readonly videoCodec: 'h264' | 'vp8' | 'h265';
  /** Its voice: a sine, −20 dB unless `toneDb` says otherwise. */
  readonly toneHz: number;
  readonly toneDb?: number;
  readonly fps?: number;
  /** Something in every picture has moved since the one before; else it is still but for its clock. */
  readonly moves?: boolean;
};

/** Somebody who sends picture and sound by RTP; the picture is gray and has the running clock of the demo's cameras. */
export type RtpPublisher = Closable & {
  /** Ends it as an accident would; resolves when it is gone. */
  kill(): Promise<void>;
  /** Sends again, as somebody who has come back. */
  start(): void;
  /** Stops in the middle, and goes on with what it has not sent. */
  pause(): void;
  resume(): void;
};

/** Starts to send, with Opus and the asked codec. Dies with this process. */
export function startPublisher(options: PublisherOptions): RtpPublisher {
  let child: ChildProcess | undefined;
  const start = (): void => {
    child = spawn('setpriv', ['--pdeathsig', 'KILL', 'ffmpeg', ...publisherArguments(options)], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
  };
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running?.exitCode !== null) return;
    const gone = new Promise((resolve) => running.once('close', resolve));
    running.kill('SIGKILL');
    await gone;
  };
  start();
  const pause = (): void => void child?.kill('SIGSTOP');
  const resume = (): void => void child?.kill('SIGCONT');
  return { start, kill, pause, resume, close: kill };
}

function publisherArguments(options: PublisherOptions): string[] {
  const { audioPort, videoPort, videoCodec, toneHz, toneDb = -20, fps = PUBLISHER_FPS } = options;
  const rate = String(fps);
  const size = 's=320x180';
  const picture = options.moves === true ? `testsrc2=${size}` : `color=c=0x7a8a99:${size}`;
  return [
    ['-hide_banner', '-nostdin', '-loglevel', 'quiet'],
    ['-re', '-f', 'lavfi', '-i', `${picture}:r=${rate}`],
    // ffmpeg's sine is an eighth of full scale
    ['-re', '-f', 'lavfi', '-i', `sine=frequency=${toneHz}:sample_rate=48000`],
    ['-map', '0:v', '-vf', clockFilters(), '-fps_mode', 'passthrough'],
    ...codecArguments(videoCodec, rate),
    ['-pix_fmt', 'yuv420p', '-threads', '1', '-payload_type', String(VIDEO_PAYLOAD_TYPE)],
    ['-f', 'rtp', `rtp://127.0.0.1:${videoPort}?pkt_size=1200`],
    ['-map', '1:a', '-af', `volume=${toneDb + 18.06}dB`, '-c:a', 'libopus', '-ac', '2'],
    ['-b:a', '48k', '-payload_type', String(AUDIO_PAYLOAD_TYPE)],
    ['-f', 'rtp', `rtp://127.0.0.1:${audioPort}?pkt_size=1200`],
  ].flat();
}

/** Without delay and with a key frame each second, as nobody can ask for one. */
function codecArguments(codec: PublisherOptions['videoCodec'], rate: string): string[][] {
  switch (codec) {
    case 'h264':
      return [
        ['-c:v', 'libx264', '-profile:v', 'baseline', '-preset', 'ultrafast', '-tune'],
        ['zerolatency', '-crf', '26', '-g', rate],
      ];
    case 'vp8':
      return [
        ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '10', '-lag-in-frames', '0'],
        ['-b:v', '300k', '-g', rate],
      ];
    case 'h265':
      return [
        ['-c:v', 'libx265', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', rate],
        ['-x265-params', 'log-level=none:pools=1:frame-threads=1'],
      ];
  }
}

/** Makes `t` the wall clock while the clock is drawn. */
function clockFilters(): string {
  return ['settb=AVTB,setpts=PTS+RTCSTART', ...pictureClockFilters(), 'setpts=PTS-STARTPTS'].join();
}
