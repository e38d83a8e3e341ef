import type { ChildProcess } from 'node:child_process';
import { setPriority } from 'node:os';
import ffmpegCommand from 'fluent-ffmpeg';
import { z } from 'zod';
import { ChalkreelError } from '../errors.ts';
import type { Log } from '../log.ts';
import { launched, mayLowerPriority, trackFfmpeg } from './ffmpeg-children.ts';

/** One group of arguments per intention: `['-c:v', 'libx264', '-preset', 'veryfast']`. */
export type FfmpegArgs = readonly (readonly string[])[];

export type FfmpegRun = {
  readonly args: FfmpegArgs;
  /** Written to stdin, in order, which is then closed. Without it stdin is closed from the start. */
  readonly input?: readonly Uint8Array[];
  /** Kills the child; the run rejects with the signal's reason once the child is gone. */
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
  /** The child is killed after this long. Default 60 s: little asked of ffmpeg here takes longer. */
  readonly timeoutMs?: number;
  /** Path of the program. Default: the first on PATH. */
  readonly program?: string | undefined;
  /** Takes stdout as it comes, which is then not in the result. What it throws ends the run, and is what the run rejects with. */
  readonly onStdout?: ((chunk: Buffer) => void) | undefined;
  /** Scheduling priority of the child, 0 to 19, the last giving way to all else. Default 0. */
  readonly niceness?: number | undefined;
};

export type FfmpegResult = { readonly stdout: Buffer; readonly tookMs: number };

const DEFAULT_TIMEOUT_MS = 60_000;
const STDERR_LINES = 20;

const LOUDNESS = ['-hide_banner', '-nostats', '-loglevel', 'warning'];

/** The command line of a run, ready to paste into a shell. */
export function commandLine({
  args,
  program = 'ffmpeg',
}: Pick<FfmpegRun, 'args' | 'program'>): string {
  return [program, ...LOUDNESS, ...args.flat()].map(quoted).join(' ');
}

/**
 * Runs ffmpeg to its end and resolves to what it wrote to stdout. Errors: `ffmpeg-missing`, `ffmpeg-failed` and
 * `ffmpeg-timeout`, with command line, exit, last stderr lines and duration; the signal's reason when aborted. The child
 * is gone when the promise settles.
 */
export function runFfmpeg(run: FfmpegRun): Promise<FfmpegResult> {
  return runProgram('ffmpeg', [LOUDNESS, ...run.args], run);
}

const probeSchema = z.object({
  format: z.object({ duration: z.coerce.number().optional() }).default({}),
  streams: z
    .array(
      z.object({
        codec_type: z.string(),
        codec_name: z.string().optional(),
        width: z.number().optional(),
        height: z.number().optional(),
      }),
    )
    .default([]),
});
export type Probe = z.infer<typeof probeSchema>;

/** What ffprobe finds in a file or playlist: container duration in seconds, and its streams. Errors as `runFfmpeg`. */
export async function probe(
  input: string,
  options: Pick<FfmpegRun, 'signal' | 'log' | 'timeoutMs'> = {},
): Promise<Probe> {
  const args = [
    ['-hide_banner', '-loglevel', 'warning'],
    // what to tell, as data
    ['-show_format', '-show_streams', '-of', 'json'],
    [input],
  ];
  const { stdout } = await runProgram('ffprobe', args, options);
  return probeSchema.parse(JSON.parse(stdout.toString('utf8')));
}

type Program = 'ffmpeg' | 'ffprobe';

async function runProgram(
  program: Program,
  args: FfmpegArgs,
  options: Omit<FfmpegRun, 'args'>,
): Promise<FfmpegResult> {
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  signal?.throwIfAborted();
  const flat = args.flat();
  const startedAt = performance.now();
  const timeout = AbortSignal.timeout(timeoutMs);
  const reader = new AbortController();
  const kill = AbortSignal.any([timeout, reader.signal, ...(signal === undefined ? [] : [signal])]);
  const outcome = await spawnAndWait(program, flat, {
    ...options,
    kill,
    onReaderFailed: (error) => {
      reader.abort(error);
    },
  });
  const tookMs = Math.round(performance.now() - startedAt);
  const command = [options.program ?? program, ...flat].map(quoted).join(' ');
  const report = { command, tookMs, ...outcome.exit };
  options.log?.debug({ ffmpeg: report }, 'ffmpeg ended');
  reader.signal.throwIfAborted();
  if (outcome.exit.code === 0 && outcome.error === undefined) {
    return { stdout: outcome.stdout, tookMs };
  }
  signal?.throwIfAborted();
  throw failure(
    options.program ?? program,
    { ...report, stderr: outcome.stderr },
    timeout.aborted,
    outcome.error,
  );
}

/** An argument as a shell takes it. */
function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
}

type Exit = { readonly code: number | null; readonly signal: string | null };
type Outcome = {
  readonly exit: Exit;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly error?: Error;
};

/** The part of fluent-ffmpeg that finds the program and starts it; its argument builder and parsers are left aside. */
type Spawner = {
  _getFfmpegPath: (callback: (error: Error | null, path: string) => void) => void;
  _getFfprobePath: (callback: (error: Error | null, path: string) => void) => void;
  _spawnFfmpeg(
    args: string[],
    options: { stdoutLines: number; stdio: 'pipe' },
    onProcess: (child: ChildProcess) => void,
    onEnd: (error: Error | null, stdout?: unknown, stderr?: { get(): string }) => void,
  ): void;
};

/** Never rejects: how the program ended is in the outcome. */
function spawnAndWait(
  program: Program,
  args: string[],
  options: Pick<FfmpegRun, 'input' | 'program' | 'onStdout' | 'niceness'> & {
    readonly kill: AbortSignal;
    readonly onReaderFailed: (error: unknown) => void;
  },
): Promise<Outcome> {
  const { input = [], kill, program: path } = options;
  const spawner = ffmpegCommand() as unknown as Spawner;
  if (program === 'ffprobe') spawner._getFfmpegPath = spawner._getFfprobePath.bind(spawner);
  if (path !== undefined) {
    spawner._getFfmpegPath = (callback) => {
      callback(null, path);
    };
  }
  const find = spawner._getFfmpegPath.bind(spawner);
  const given = [...args];
  spawner._getFfmpegPath = (callback) => {
    find((error, found) => {
      if (error !== null || !found) {
        callback(error, found);
        return;
      }
      const command = launched(found, args);
      given.splice(0, given.length, ...command.args);
      callback(null, command.program);
    });
  };
  return new Promise((resolve) => {
    let child: ChildProcess | undefined;
    const chunks: Buffer[] = [];
    const onAbort = (): void => void child?.kill('SIGKILL');
    const take = (chunk: Buffer): void => {
      if (options.onStdout === undefined) chunks.push(chunk);
      else if (!kill.aborted) attempt(options.onStdout, chunk, options.onReaderFailed);
    };
    const onProcess = (started: ChildProcess): void => {
      child = started;
      trackFfmpeg(started);
      lowerPriority(started, options.niceness);
      started.stdout?.on('data', take);
      feed(started, input);
      if (kill.aborted) onAbort();
      kill.addEventListener('abort', onAbort, { once: true });
    };
    const onEnd = (error: Error | null, _: unknown, stderr?: { get(): string }): void => {
      const settle = (): void => {
        kill.removeEventListener('abort', onAbort);
        resolve({
          exit: { code: child?.exitCode ?? null, signal: child?.signalCode ?? null },
          stdout: Buffer.concat(chunks),
          stderr: stderr?.get() ?? '',
          ...(error === null ? {} : { error }),
        });
      };
      // The exit may be heard before the last of stdout.
      if (child?.stdout && !child.stdout.closed) child.stdout.once('close', settle);
      else settle();
    };
    spawner._spawnFfmpeg(given, { stdoutLines: STDERR_LINES + 1, stdio: 'pipe' }, onProcess, onEnd);
  });
}

function attempt(
  read: (chunk: Buffer) => void,
  chunk: Buffer,
  onFailed: (error: unknown) => void,
): void {
  try {
    read(chunk);
  } catch (error) {
    onFailed(error);
  }
}

/** A child that has ended by then has no priority. */
function lowerPriority({ pid }: ChildProcess, niceness = 0): void {
  if (pid === undefined || niceness === 0 || !mayLowerPriority()) return;
  try {
    setPriority(pid, niceness);
  } catch {
    return;
  }
}

/** Writes the input and closes stdin. A child that ends before it has read everything is no error of ours: its exit code speaks. */
function feed(child: ChildProcess, input: readonly Uint8Array[]): void {
  child.stdin?.on('error', () => undefined);
  for (const bytes of input) child.stdin?.write(bytes);
  child.stdin?.end();
}

function failure(
  program: string,
  report: { command: string; tookMs: number; stderr: string } & Exit,
  isTimeout: boolean,
  cause: Error | undefined,
): ChalkreelError {
  if (isMissing(cause)) return missing(program, cause);
  const how =
    report.signal === null ? `exit code ${String(report.code)}` : `signal ${report.signal}`;
  const lines = report.stderr.trim().split('\n').slice(-STDERR_LINES).join('\n');
  const what = isTimeout ? 'was killed because it took too long' : 'failed';
  return new ChalkreelError(
    isTimeout ? 'ffmpeg-timeout' : 'ffmpeg-failed',
    `${program} ${what} (${how} after ${report.tookMs} ms): ${report.command}\n${lines}`,
    { fault: 'dependency', details: report, cause },
  );
}

/** Not on PATH (fluent-ffmpeg's own error), or gone since it was looked up. */
function isMissing(cause: (Error & { code?: unknown }) | undefined): boolean {
  return cause?.code === 'ENOENT' || (cause?.message.startsWith('Cannot find') ?? false);
}

function missing(program: string, cause: Error | undefined): ChalkreelError {
  const mend = program.includes('/')
    ? 'expected a program at this path.'
    : 'expected it on PATH. Install it with `apt-get install ffmpeg` or `npm run setup`.';
  return new ChalkreelError('ffmpeg-missing', `Cannot start ${program}: ${mend}`, {
    fault: 'dependency',
    retryable: false,
    cause,
  });
}
