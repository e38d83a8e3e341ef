import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { formatTable, summarize, type Measurement, type ResultLine } from './measure.ts';

/** Measures (or breaks) one thing; `args` are the words after its name. */
export type Scenario = {
  readonly about: string;
  readonly run: (args: readonly string[]) => Promise<readonly Measurement[]>;
};

export type RunnerOptions = {
  readonly scenarios: Readonly<Record<string, Scenario>>;
  /** A file that the JSON lines are appended to. */
  readonly appendTo?: string;
};

/**
 * `NAME [ARGS] [--json]`: runs one scenario and prints its table, with `--json` then one JSON line a measurement.
 * Resolves with the exit code: 0 when it ran, whatever it measured; 1 when it could not; 2 for an unknown name.
 */
export async function runScenario(
  words: readonly string[],
  { scenarios, appendTo }: RunnerOptions,
): Promise<number> {
  const [name = '', ...args] = words.filter((word) => word !== '--json');
  const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;
  if (scenario === undefined) {
    console.error(
      name === '' ? 'expected a name, one of:' : `unknown name "${name}", expected one of:`,
    );
    for (const [known, { about }] of Object.entries(scenarios))
      console.error(`  ${known}: ${about}`);
    return 2;
  }
  try {
    const lines = (await scenario.run(args)).map((measured) => summarize(name, measured));
    console.log(formatTable(lines));
    if (words.includes('--json')) for (const line of lines) console.log(JSON.stringify(line));
    if (appendTo !== undefined) await append(appendTo, lines);
    return 0;
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

async function append(file: string, lines: readonly ResultLine[]): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const at = new Date().toISOString();
  await appendFile(file, lines.map((line) => `${JSON.stringify({ at, ...line })}\n`).join(''));
}
