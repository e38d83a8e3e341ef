import { spawnSync } from 'node:child_process';

const TIMEOUT_MS = 60_000;

/** Runs ffmpeg to its end and returns its stdout; throws with its stderr when it fails. */
export function ffmpeg(args: readonly string[], input?: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync(
    'ffmpeg',
    ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', ...args],
    { input, timeout: TIMEOUT_MS, maxBuffer: 2 ** 28 },
  );
  if (status !== 0) throw new Error(`ffmpeg ${args.join(' ')}: ${status} ${stderr.toString()}`);
  return stdout;
}

/** Arguments for a picture as the recorder's: no B frames, BT.709 limited range, an IDR each 1.6 s at 30 fps. */
export const PICTURE_ARGS = [
  ...['-c:v', 'libx264', '-profile:v', 'main', '-preset', 'veryfast', '-threads', '1'],
  ...['-g', '48', '-keyint_min', '48', '-sc_threshold', '0', '-bf', '0', '-refs', '1'],
  ...['-pix_fmt', 'yuv420p', '-color_primaries', 'bt709', '-color_trc', 'bt709'],
  ...['-colorspace', 'bt709', '-color_range', 'tv'],
];

/** Hashes of all pictures and sound samples a segment decodes to, whatever the decoder says about it. */
export function decodedHashes(segment: Buffer): string {
  const { stdout } = spawnSync(
    'ffmpeg',
    [
      ...['-nostdin', '-loglevel', 'quiet', '-threads', '1', '-f', 'mpegts', '-i', 'pipe:0'],
      ...['-map', '0:v?', '-map', '0:a?', '-fps_mode', 'passthrough', '-f', 'framemd5', '-'],
    ],
    { input: segment, timeout: TIMEOUT_MS, maxBuffer: 2 ** 28 },
  );
  return stdout.toString();
}
