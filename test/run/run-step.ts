import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { RESULTS_DIR, type Step } from './steps.ts';
import { describeFailures } from './failures.ts';
import { tallyStep, type Tally } from './tally.ts';

export type StepResult = {
  readonly step: Step;
  readonly tally: Tally;
  readonly durationMs: number;
  readonly output: string;
  /** The tests that failed, each with the beginning of its message; empty for a step that is no vitest run. */
  readonly failures: readonly string[];
};

/** Runs a step to its end, or until the signal ends it; its output goes to a file in `.cache/test` and, where `live`, to the terminal. */
export async function runStep(
  step: Step,
  options: { readonly live: boolean; readonly signal: AbortSignal },
): Promise<StepResult> {
  if (step.report !== undefined) await rm(step.report, { force: true });
  const startedAt = performance.now();
  const { succeeded, output } = await runCommand(step, options);
  const report = step.report === undefined ? undefined : { json: await readReport(step.report) };
  const durationMs = performance.now() - startedAt;
  const failures = describeFailures(report?.json);
  return { step, tally: tallyStep(succeeded, report), durationMs, output, failures };
}

async function runCommand(
  step: Step,
  { live, signal }: { readonly live: boolean; readonly signal: AbortSignal },
): Promise<{ readonly succeeded: boolean; readonly output: string }> {
  const [program = '', ...args] = step.command;
  const child = spawn(program, args, {
    signal,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1' },
  });
  const file = createWriteStream(path.join(RESULTS_DIR, `${step.name}.log`));
  const chunks: Buffer[] = [];
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    file.write(chunk);
    if (live) process.stdout.write(chunk);
  };
  child.stdout.on('data', onData);
  child.stderr.on('data', onData);
  const succeeded = await new Promise<boolean>((resolve) => {
    child.once('error', (error) => {
      onData(Buffer.from(`${program}: ${error.message}\n`));
      resolve(false);
    });
    child.once('close', (code) => resolve(code === 0));
  });
  file.end();
  return { succeeded, output: Buffer.concat(chunks).toString('utf8') };
}

/** Undefined when the run died before it wrote one. */
async function readReport(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
