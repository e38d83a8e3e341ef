import { spawn } from 'node:child_process';

/** Longest time one run of ffmpeg may take: a run is at most two minutes of media. */
const DECODE_TIMEOUT_MS = 120_000;
const MESSAGE_LINES = 3;

/** Decodes media given as bytes and returns ffmpeg's complaints, the first lines of them; empty when there are none. */
export type Decode = (media: readonly Uint8Array[], format: 'mpegts' | 'mp4') => Promise<string>;

/** Finds ffmpeg: undefined where it cannot be started. */
export async function findDecoder(): Promise<Decode | undefined> {
  const version = await run(['-version'], []);
  return version.exitCode === 0 ? decodeWithFfmpeg : undefined;
}

const decodeWithFfmpeg: Decode = async (media, format) => {
  const { exitCode, stderr } = await run(
    [
      ...['-nostdin', '-hide_banner', '-loglevel', 'error', '-xerror'],
      ...['-err_detect', '+crccheck+bitstream+buffer+explode', '-threads', '1'],
      ...['-f', format, '-i', 'pipe:0'],
      ...['-map', '0:v?', '-map', '0:a?', '-fps_mode', 'passthrough', '-f', 'null', '-'],
    ],
    media,
  );
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  if (exitCode === 0 && lines.length === 0) return '';
  const shown = lines.slice(0, MESSAGE_LINES).map((line) => line.replace(/ @ 0x[0-9a-f]+/, ''));
  return shown.join(' | ') || `ffmpeg ends with ${exitCode}`;
};

type Result = { exitCode: number | null; stderr: string };

function run(args: readonly string[], input: readonly Uint8Array[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn('ffmpeg', args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: DECODE_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < 10_000) stderr += text;
    });
    child.on('error', () => {
      resolve({ exitCode: null, stderr: 'ffmpeg cannot be started' });
    });
    child.on('close', (exitCode) => {
      resolve({ exitCode, stderr });
    });
    // ffmpeg stops reading at the first fault: that shows in its exit code, not here.
    child.stdin.on('error', () => undefined);
    child.stdin.end(Buffer.concat(input));
  });
}
