import { ChalkreelError } from '../errors.ts';
import type { Log } from '../log.ts';
import { probe, runFfmpeg } from './ffmpeg.ts';

export type ContactSheetOptions = {
  /** A playlist's or an MP4's path. */
  readonly input: string;
  readonly outputPng: string;
  /** Seconds between pictures. Default: a twelfth of the duration. */
  readonly everySeconds?: number;
  /** Pictures side by side. Default 4. */
  readonly columns?: number;
  /** Width of one picture, pixels, even. Default 320. */
  readonly pictureWidth?: number;
  readonly signal?: AbortSignal;
  readonly log?: Log;
};

const DEFAULT_PICTURES = 12;
/** More than this is no longer seen at a glance. */
const MAX_PICTURES = 120;
/** From this distance on key frames alone (one each 1.6 s) show the same, at a fraction of the decoding. */
const KEY_FRAMES_ONLY_FROM_SECONDS = 8;

/**
 * Draws one PNG with a picture every few seconds, each with its time, so that a person sees at a glance what was recorded.
 * Resolves to the number of pictures and their distance. Errors as `runFfmpeg`; `no-picture` where there is nothing to show.
 */
export async function makeContactSheet(
  options: ContactSheetOptions,
): Promise<{ readonly pictures: number; readonly everySeconds: number }> {
  const { input, outputPng, columns = 4, pictureWidth = 320, signal, log } = options;
  const found = await probe(input, { signal, log });
  const duration = found.format.duration ?? 0;
  if (duration <= 0 || !found.streams.some((stream) => stream.codec_type === 'video')) {
    throw new ChalkreelError(
      'no-picture',
      `${input}: expected a video of some length, found none.`,
    );
  }
  const everySeconds = options.everySeconds ?? duration / DEFAULT_PICTURES;
  // Not quite rounded up: a picture at the very end would have no frame to show.
  const pictures = Math.min(MAX_PICTURES, Math.max(1, Math.ceil(duration / everySeconds - 0.001)));
  const filters = [
    // from zero, whatever the stream's first timestamp
    'setpts=PTS-STARTPTS',
    // the picture on show at 0, every, 2 × every …
    `fps=fps=1/${everySeconds.toFixed(6)}:start_time=0:round=up`,
    `scale=${pictureWidth}:-2`,
    // the time, legible on any picture
    `drawtext=text='%{pts\\:hms}':x=6:y=h-th-6:fontsize=${Math.round(pictureWidth / 18)}:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=4`,
    `tile=layout=${columns}x${Math.ceil(pictures / columns)}:padding=4:margin=4:color=0x202020`,
  ];
  const isCoarse = everySeconds >= KEY_FRAMES_ONLY_FROM_SECONDS;
  await runFfmpeg({
    args: [
      // one image, replaced if it is there
      ['-y'],
      isCoarse ? ['-skip_frame', 'nokey'] : [],
      ['-i', input],
      ['-an', '-sn'],
      ['-vf', filters.join(',')],
      // the last, part-filled sheet counts too
      ['-frames:v', '1', '-update', '1'],
      ['-c:v', 'png', '-f', 'image2', outputPng],
    ],
    signal,
    log,
  });
  return { pictures, everySeconds };
}
