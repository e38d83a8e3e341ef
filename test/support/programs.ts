import { spawn } from 'node:child_process';

export type ProgramOutput = { readonly stdout: Buffer; readonly stderr: string };

/**
 * A second ffmpeg output that takes every stream and costs nothing. Without it ffmpeg shifts the times of an MPEG-TS
 * so that the streams in use begin where the earliest stream of all did, in spite of -copyts (seen with 5.1).
 */
export const KEEP_TIMES = ['-map', '0', '-c', 'copy', '-f', 'null', '/dev/null'] as const;

/** Runs a program to its end. Throws with its command line and last words when it fails. */
export async function runProgram(program: string, args: readonly string[]): Promise<ProgramOutput> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve(status ?? signal ?? 'unknown'));
  });
  const words = Buffer.concat(stderr).toString('utf8');
  if (code !== 0) {
    const last = words.trimEnd().split('\n').slice(-20).join('\n');
    throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${last}`);
  }
  return { stdout: Buffer.concat(stdout), stderr: words };
}
