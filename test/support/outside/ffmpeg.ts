import { complaintsOf, linesOf, runTool } from './program.ts';
import type { Subject } from './stretch.ts';

/** ffmpeg's complaints: it decodes every stretch, and the playlist where that has no hole, and stops at the first fault. */
export async function runFfmpeg({ playlist, holes, stretches }: Subject): Promise<string[]> {
  // With a hole the playlist names a file that is not there, which ffmpeg 5.1 opens in spite of EXT-X-GAP.
  const inputs = [...stretches.map(({ file }) => file), ...(holes.length > 0 ? [] : [playlist])];
  const complaints: string[] = [];
  for (const input of inputs) {
    const run = await runTool('ffmpeg', [
      ...['-nostdin', '-hide_banner', '-loglevel', 'warning', '-xerror'],
      ...['-err_detect', '+crccheck+bitstream+buffer+explode', '-i', input],
      ...['-map', '0', '-fps_mode', 'passthrough', '-f', 'null', '-'],
    ]);
    complaints.push(...complaintsOf(run));
  }
  return complaints;
}

/** The version of the ffmpeg that is installed. */
export async function ffmpegVersion(): Promise<string> {
  const [first = ''] = linesOf((await runTool('ffmpeg', ['-version'])).output);
  return /version (\S+)/.exec(first)?.[1] ?? first;
}
