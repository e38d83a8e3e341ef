import { spawn } from 'node:child_process';

/** Longest time one run of a tool may take: each needs about a second for a minute of media. */
const TIMEOUT_MS = 60_000;
/** Complaints kept of one run: more only repeat. */
const MAX_COMPLAINTS = 20;

export type ToolRun = { readonly exitCode: number | null; readonly output: string };

/** How a tool is called other than with this process's environment and user. */
export type ToolCall = {
  readonly env?: Readonly<Record<string, string>>;
  /** User and group the program runs as; this process's own where it is not given. */
  readonly uid?: number;
  readonly gid?: number;
};

/** Runs a tool to its end and returns what it says on stdout and stderr; exit code null when it is missing or was killed. */
export function runTool(
  program: string,
  args: readonly string[],
  call: ToolCall = {},
): Promise<ToolRun> {
  const { env, ...identity } = call;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      ...identity,
      env: env === undefined ? process.env : { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', (error) => {
      resolve({ exitCode: null, output: error.message });
    });
    child.once('close', (exitCode) => {
      resolve({ exitCode, output: Buffer.concat(chunks).toString('utf8') });
    });
  });
}

/** The lines of an output that say something, without the addresses that differ from run to run. */
export function linesOf(output: string): string[] {
  const lines = output.split('\n').map((line) => line.replace(/ @ 0x[0-9a-f]+/g, '').trim());
  return lines.filter((line) => line !== '');
}

/** What a run says against the stream: its lines, and its exit code unless that is 0. */
export function complaintsOf(
  { exitCode, output }: ToolRun,
  isComplaint: (line: string) => boolean = () => true,
): string[] {
  const complaints = linesOf(output).filter(isComplaint).slice(0, MAX_COMPLAINTS);
  return exitCode === 0 ? complaints : [...complaints, `ends with ${exitCode ?? 'no exit code'}`];
}

/** A complaint unless a tool counted what it was expected to. */
export function miscount(what: string, counted: number, expected: number): string[] {
  return counted === expected ? [] : [`counts ${counted} ${what}, expected ${expected}`];
}
