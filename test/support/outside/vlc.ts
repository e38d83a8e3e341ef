import { complaintsOf, linesOf, miscount, runTool, type ToolCall } from './program.ts';
import type { Subject } from './stretch.ts';

/** `nobody` and `nogroup` of Debian: VLC refuses to run as root. */
const NOBODY = 65534;

/** The parts of VLC that read a stream; others complain about the machine (no PulseAudio, no D-Bus, no display). */
const READERS = /^\[[0-9a-f]+\] (ts|adaptive|h264|mpeg4audio|avcodec|main (demux|decoder|input))\b/;
/** Information: VLC logs what has no level as plain lines. */
const HARMLESS = / debug: |Changing stream format Unknown -> TS|AAC channels: 2 samplerate: 48000/;

/** VLC's complaints: its TS demuxer and packetizers on every stretch, and its HLS reader on a playlist without holes. */
export async function runVlc({ url, segments, holes, stretches }: Subject): Promise<string[]> {
  const complaints: string[] = [];
  for (const { file } of stretches) {
    const lines = await demux(file);
    const read = lines.some((line) => /ts demux debug: EOF at \d+/.test(line));
    complaints.push(...lines.filter(isComplaint), ...(read ? [] : ['does not reach the end']));
  }
  // VLC 3 does not know EXT-X-GAP and asks for the file that is not there.
  if (holes.length === 0) {
    const lines = await demux(url);
    const fetched = lines.filter((line) => line.includes('adaptive demux debug: Retrieving'));
    complaints.push(
      ...lines.filter(isComplaint),
      ...miscount('segments fetched', fetched.length, segments),
    );
  }
  return complaints;
}

/** What VLC says while it reads an input as fast as it can, into nothing. */
async function demux(input: string): Promise<string[]> {
  const sink = '#std{access=dummy,mux=dummy,dst=nothing}';
  const run = await runTool(
    'vlc',
    ['-I', 'dummy', '--no-color', '-vv', '--sout', sink, '--play-and-exit', input, 'vlc://quit'],
    asNobody(),
  );
  return [...linesOf(run.output), ...complaintsOf(run, () => false)];
}

function isComplaint(line: string): boolean {
  if (line.startsWith('ends with')) return true;
  return READERS.test(line) && !HARMLESS.test(line);
}

/** As nobody where this process is root. */
export function asNobody(): ToolCall {
  const env = { HOME: '/nonexistent', DISPLAY: '' };
  return process.getuid?.() === 0 ? { env, uid: NOBODY, gid: NOBODY } : { env };
}

/** The version of the VLC that is installed. */
export async function vlcVersion(): Promise<string> {
  const { output } = await runTool('vlc', ['--version'], asNobody());
  return /VLC (?:media player|version) ([\d.]+)/.exec(output)?.[1] ?? 'unknown';
}
