import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { arch } from 'node:process';
import { runFfmpeg } from '../../media/ffmpeg.ts';
import type { ReencodeCodec } from '../../model/reencode.ts';
import { ENCODERS } from './encode-command.ts';

/** Instruction sets that encoders choose their code by: results may differ with them. */
const CPU_FLAGS = [
  ...['sse2', 'ssse3', 'sse4_1', 'sse4_2', 'avx', 'fma', 'bmi2', 'avx2', 'avx512f', 'avx512bw'],
  ...['avx512vl', 'avx512_vbmi', 'asimd', 'asimddp', 'sve', 'sve2', 'i8mm'],
];
/** A few pictures are enough for the library to say its version in them, and to show a difference. */
const TRIAL = 'testsrc2=s=64x64:r=25:d=0.2,format=yuv420p';

const known = new Map<string, Promise<string>>();

/**
 * What encodes: the program's version and build, the library (by what it makes of a trial, which x264 writes its version into), and the CPU. 16
 * hex digits; equal ones give equal bytes. Asked once in a process. Errors as `runFfmpeg`.
 */
export function identifyEncoder(
  codec: ReencodeCodec | 'aac',
  ffmpeg: string | undefined,
): Promise<string> {
  const key = `${codec} ${ffmpeg ?? ''}`;
  const identity = known.get(key) ?? identify(codec, ffmpeg);
  known.set(key, identity);
  identity.catch(() => known.delete(key));
  return identity;
}

async function identify(
  codec: ReencodeCodec | 'aac',
  program: string | undefined,
): Promise<string> {
  const version = await runFfmpeg({ args: [['-version']], program });
  const trial = await runFfmpeg({ args: trialArgs(codec), program });
  const hash = createHash('sha256').update(version.stdout).update(trial.stdout);
  return hash
    .update(await describeCpu())
    .digest('hex')
    .slice(0, 16);
}

function trialArgs(codec: ReencodeCodec | 'aac'): string[][] {
  const exact = ['-fflags', '+bitexact', '-flags', '+bitexact', '-threads', '1'];
  if (codec === 'aac') {
    const sine = ['-f', 'lavfi', '-i', 'sine=d=0.1:r=48000'];
    return [sine, ['-c:a', 'aac'], exact, ['-f', 'adts', 'pipe:1']];
  }
  const source = ['-f', 'lavfi', '-i', TRIAL];
  const format = { avc: 'h264', hevc: 'hevc', av1: 'ivf' }[codec];
  return [source, ['-c:v', ENCODERS[codec]], exact, ['-f', format, 'pipe:1']];
}

async function describeCpu(): Promise<string> {
  const info = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(info)?.[1] ?? '';
  const flags = new Set(line.trim().split(/\s+/));
  return [arch, ...CPU_FLAGS.filter((flag) => flags.has(flag))].join(' ');
}
