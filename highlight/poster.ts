import type { Log } from '../src/log.ts';
import { runFfmpeg } from '../src/media/ffmpeg.ts';

/** JPEG quality on ffmpeg's scale, 2 (best) to 31. */
const QUALITY = 3;

/** Decodes Annex B access units from a key picture on, and makes the last of them a JPEG. Errors as `runFfmpeg`. */
export async function drawPoster(
  decode: readonly Uint8Array[],
  options: { readonly signal?: AbortSignal | undefined; readonly log?: Log | undefined } = {},
): Promise<Buffer> {
  // JPEG is BT.601 full range by definition (JFIF), the recording BT.709 limited.
  const colours = 'scale=in_color_matrix=bt709:in_range=tv:out_color_matrix=bt601:out_range=pc';
  const { stdout } = await runFfmpeg({
    args: [
      ['-f', 'h264', '-i', 'pipe:0'],
      // the last picture only
      ['-vf', `trim=start_frame=${decode.length - 1},${colours},format=yuvj420p`, '-frames:v', '1'],
      ['-c:v', 'mjpeg', '-q:v', String(QUALITY)],
      ['-f', 'image2pipe', 'pipe:1'],
    ],
    input: decode,
    ...options,
  });
  return stdout;
}
