import { mkdirSync } from 'node:fs';
import { runStep, type StepResult } from './run-step.ts';
import { ALL_STEPS, CHECK_STEPS, RESULTS_DIR, type Step } from './steps.ts';
import { addTallies, formatTally } from './tally.ts';

/** Programs of a stage that run at the same time. */
const SIDE_BY_SIDE = 2;
/** Lines shown of a step that failed and has no list of failed tests; the whole is in its log. */
const SHOWN_LINES = 80;

/** `tsx test/run/main.ts check|all [STEP…]`: runs the steps and ends with "N passed, N failed". Exit code 1 when one failed. */
async function main(args: readonly string[]): Promise<number> {
  const [set, ...names] = args;
  const every = set === 'check' ? CHECK_STEPS : set === 'all' ? ALL_STEPS : undefined;
  const unknown = names.filter((name) => every?.every((step) => step.name !== name));
  if (every === undefined || unknown.length > 0) {
    console.error(`expected: check|all [${ALL_STEPS.map((step) => step.name).join('|')}]…`);
    return 2;
  }
  mkdirSync(RESULTS_DIR, { recursive: true });
  const steps = names.length === 0 ? every : every.filter((step) => names.includes(step.name));
  const results = await runStages(steps);
  const tally = addTallies(results.map((result) => result.tally));
  const broken = results.filter((result) => result.tally.failed > 0);
  if (broken.length > 0) console.log(`\nfailed: ${broken.map((r) => r.step.name).join(', ')}`);
  console.log(formatTally(tally));
  return broken.length === 0 ? 0 : 1;
}

/** Stage after stage, also after a failure, so that one run tells everything; Ctrl-C and SIGTERM end it. */
async function runStages(steps: readonly Step[]): Promise<StepResult[]> {
  const results: StepResult[] = [];
  const stopped = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopped.abort());
  const { signal } = stopped;
  const live = process.stdout.isTTY && steps.length === 1;
  const stages = [...new Set(steps.map((step) => step.stage))].sort((a, b) => a - b);
  for (const stage of stages) {
    const waiting = steps.filter((step) => step.stage === stage);
    const work = async (): Promise<void> => {
      for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
        const result = await runStep(step, { live, signal });
        report(result);
        results.push(result);
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  }
  return results;
}

function report({ step, tally, durationMs, output, failures }: StepResult): void {
  const verdict = tally.failed === 0 ? 'ok  ' : 'FAIL';
  const seconds = (durationMs / 1000).toFixed(1).padStart(6);
  const counted = step.report === undefined ? '' : `  ${formatTally(tally)}`;
  console.log(`${verdict} ${step.name.padEnd(14)}${seconds} s${counted}`);
  if (tally.failed === 0) return;
  const lines = failures.length > 0 ? failures : output.trimEnd().split('\n').slice(-SHOWN_LINES);
  for (const line of lines) console.log(`     | ${line}`);
  console.log(`     | (whole output: ${RESULTS_DIR}/${step.name}.log)`);
}

process.exitCode = await main(process.argv.slice(2));
