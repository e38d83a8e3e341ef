import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { ChalkreelError } from '../errors.ts';
import { CAMERA_FPS, type CameraLoop } from './loops.ts';
import { pictureClockFilters } from './picture-clock.ts';
import { AUDIO_PAYLOAD_TYPE, VIDEO_PAYLOAD_TYPE } from './sfu/janus-config.ts';
import { CAMERA_HEIGHT, CAMERA_WIDTH } from './portrait.ts';

/** Ticks a second of the video track in the camera's fMP4. */
export const VIDEO_TIMESCALE = 90_000;
/** Length of a fragment, which becomes a part of the live playlist. Two make a segment. */
export const FRAGMENT_MS = 500;
/** What goes into one datagram of WebRTC, SRTP and headers added. */
const RTP_PACKET_BYTES = 1200;
/** A camera that has not ended this long after SIGTERM is killed. */
const TERM_GRACE_MS = 1000;

/** Where a camera's picture and sound go: out of `media` as fMP4, or by RTP to ports on loopback. */
export type CameraOutput =
  | { readonly kind: 'fmp4' }
  | {
      readonly kind: 'rtp';
      readonly audioPort: number;
      readonly videoPort: number;
      readonly videoCodec: 'h264' | 'vp8';
    };

/** A running generator. */
export type Camera = {
  readonly pid: number;
  /** fMP4 until it ends, where that is asked for. */
  readonly media: Readable;
  /** Resolves when the process is gone, with what ended it; never rejects. */
  readonly ended: Promise<CameraEnd>;
  kill(signal: NodeJS.Signals): void;
  /** Ends the process and resolves when it is gone. */
  close(): Promise<void>;
};
export type CameraEnd = { readonly reason: string; readonly stderr: string };

/**
 * Starts one camera: a live ffmpeg that repeats a loop, draws the running clock and encodes. It dies with us: `setpriv`
 * (util-linux) has the kernel kill it when we are killed.
 */
export function startCamera(loop: CameraLoop, output: CameraOutput): Camera {
  const command = ['--pdeathsig', 'KILL', 'ffmpeg', ...cameraArguments(loop, output)];
  const child = spawn('setpriv', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  const stderr = tail(child.stderr);
  const ended = new Promise<CameraEnd>((resolve) => {
    child.on('error', (error) => {
      resolve({ reason: `could not start: ${error.message}`, stderr: stderr() });
    });
    child.on('close', (code, signal) => {
      resolve({ reason: signal ?? `code ${code}`, stderr: stderr() });
    });
  });
  child.stdout.on('error', () => undefined); // told by `ended`
  return {
    pid: child.pid ?? failToStart(),
    media: child.stdout,
    ended,
    kill: (signal) => child.kill(signal),
    close: () => closeCamera(child, ended),
  };
}

async function closeCamera(child: ChildProcess, ended: Promise<CameraEnd>): Promise<void> {
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), TERM_GRACE_MS);
  await ended;
  clearTimeout(kill);
}

function failToStart(): never {
  throw new ChalkreelError('program-missing', 'Expected setpriv (util-linux) on PATH.', {
    fault: 'dependency',
  });
}

function tail(stream: Readable): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(-4000)));
  return () => text.trim();
}

function cameraArguments(loop: CameraLoop, output: CameraOutput): string[] {
  const size = `${CAMERA_WIDTH}x${CAMERA_HEIGHT}`;
  const repeat = ['-re', '-stream_loop', '-1'];
  return [
    ['-hide_banner', '-nostdin', '-loglevel', 'error'],
    // picture and tone, each repeated for ever in real time
    [...repeat, '-f', 'rawvideo', '-pixel_format', 'yuv420p', '-video_size', size],
    ['-framerate', String(CAMERA_FPS), '-i', loop.picturePath],
    [...repeat, '-f', 's16le', '-ar', '48000', '-ac', '1', '-i', loop.tonePath],
    ...(output.kind === 'fmp4' ? fmp4Arguments() : rtpArguments(output)),
  ].flat();
}

/** Picture with its clock, cheap and without delay: one thread, no look-ahead, a key frame each second. */
function h264Arguments(): string[][] {
  return [
    ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-threads', '1'],
    ['-g', String(CAMERA_FPS), '-keyint_min', String(CAMERA_FPS), '-sc_threshold', '0'],
    ['-crf', '23', '-maxrate', '600k', '-bufsize', '600k'],
    ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'],
    ['-color_range', 'tv'],
  ];
}

function fmp4Arguments(): string[][] {
  return [
    ['-map', '0:v', '-map', '1:a', '-vf', clockFilters(), '-fps_mode', 'passthrough'],
    ...h264Arguments(),
    ['-c:a', 'aac', '-aac_coder', 'fast', '-b:a', '64k'],
    // fragments on stdout, each written as soon as it is complete
    ['-f', 'mp4', '-movflags', 'empty_moov+default_base_moof+frag_keyframe'],
    ['-frag_duration', String(FRAGMENT_MS * 1000), '-video_track_timescale', `${VIDEO_TIMESCALE}`],
    ['-flush_packets', '1', 'pipe:1'],
  ];
}

/** Two outputs, each a stream of its own: what WebRTC takes, as it takes it. */
function rtpArguments(output: Extract<CameraOutput, { kind: 'rtp' }>): string[][] {
  const send = (port: number): string[] => [
    ...['-f', 'rtp', `rtp://127.0.0.1:${port}?pkt_size=${RTP_PACKET_BYTES}`],
  ];
  return [
    ['-map', '0:v', '-vf', clockFilters(), '-fps_mode', 'passthrough'],
    ...(output.videoCodec === 'h264'
      ? [...h264Arguments(), ['-profile:v', 'baseline']]
      : [
          ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '10', '-threads', '1'],
          [
            '-lag-in-frames',
            '0',
            '-g',
            String(CAMERA_FPS),
            '-b:v',
            '400k',
            '-error-resilient',
            '1',
          ],
        ]),
    ['-payload_type', String(VIDEO_PAYLOAD_TYPE), ...send(output.videoPort)],
    ['-map', '1:a', '-c:a', 'libopus', '-application', 'audio', '-ac', '2', '-b:a', '48k'],
    ['-payload_type', String(AUDIO_PAYLOAD_TYPE), ...send(output.audioPort)],
  ];
}

/**
 * A frame's time plus the least time by which any was ever filtered later: filters take long to begin, and a clock that began then would be
 * ahead for good. It is put back by 20 ms a frame, less than a frame lasts, so that times go on rising.
 */
const WALL_CLOCK = [
  'if(N,st(0,max(ld(0)-20000,min(ld(0),RTCTIME-PTS))),st(0,RTCTIME-PTS))',
  'PTS+ld(0)',
].join(';');

/** Makes `t` the wall clock while the clock is drawn, as digits for people and as cells for machines. */
function clockFilters(): string {
  const digits = `%{pts\\:localtime\\:0\\:%H\\\\\\:%M\\\\\\:%S}.%{eif\\:mod(floor(t*10)\\,10)\\:d}`;
  return [
    `settb=AVTB,setpts='${WALL_CLOCK}'`,
    ...pictureClockFilters(),
    `drawtext=font='DejaVu Sans Mono':fontsize=19:fontcolor=white:box=1:boxcolor=black@0.55:boxborderw=5:x=w-tw-10:y=11:text='${digits}'`,
    `setpts=PTS-STARTPTS`,
  ].join(',');
}
