import { encodeArgs, type EncodeSettings } from '../../../src/batch/chunk/encode-command.ts';
import type { EncodeInput } from '../../../src/batch/chunk/encode-input.ts';
import { runFfmpeg } from '../../../src/media/ffmpeg.ts';

/** Far more than ten minutes of 720p take on one core. */
const TIMEOUT_MS = 3_600_000;
/** The encoder's own choice: one and a half a core. */
const AUTO_THREADS = 0;

/**
 * Encodes a whole recording as anybody would: one ffmpeg with as many threads as it likes for everything, sound copied, fast start. The
 * encoder's settings, times and key pictures are those of the chunks. Resolves to the seconds it took.
 */
export async function encodeByOneFfmpeg(
  input: EncodeInput,
  settings: EncodeSettings,
  output: string,
): Promise<number> {
  const startedAt = performance.now();
  await runFfmpeg({ args: oneFfmpegArgs(input, settings, output), timeoutMs: TIMEOUT_MS });
  return (performance.now() - startedAt) / 1000;
}

/** The chunks' command line, with whole input and output in place of theirs. */
function oneFfmpegArgs(input: EncodeInput, settings: EncodeSettings, output: string): string[][] {
  const video = { ...settings.video, threads: AUTO_THREADS };
  const groups = encodeArgs(input, { ...settings, video }).map((group) => [...group]);
  const isInput = (group: readonly string[]): boolean => group.includes('-i');
  const isMap = (group: readonly string[]): boolean => group.includes('-an');
  const isOutput = (group: readonly string[]): boolean =>
    group.includes('-movflags') || group.includes('pipe:1');
  return [
    ['-y', '-copyts', '-i', input.file],
    ['-map', '0:v:0', '-map', '0:a:0?', '-c:a', 'copy'],
    ...groups.filter((group) => !isInput(group) && !isMap(group) && !isOutput(group)),
    ['-video_track_timescale', '90000', '-movflags', '+faststart', '-f', 'mp4', output],
  ];
}

/** A rung of a ladder that is the same for every class: average bit rate with a buffer, whatever is shown. */
export async function encodeByLadder(
  input: EncodeInput,
  settings: EncodeSettings,
  options: { readonly bitrate: number; readonly output: string },
): Promise<void> {
  const { bitrate, output } = options;
  const rate = ['-b:v', `${bitrate}`, '-maxrate', `${bitrate * 1.1}`, '-bufsize', `${bitrate * 2}`];
  const args = oneFfmpegArgs(input, settings, output).map((group) => {
    const at = group.indexOf('-crf');
    return at === -1 ? group : [...group.slice(0, at), ...rate, ...group.slice(at + 2)];
  });
  await runFfmpeg({ args, timeoutMs: TIMEOUT_MS });
}
