import { appendFile } from 'node:fs/promises';
import { formatTable, summarize, type Measurement, type ResultLine } from '../bench/measure.ts';

/** Breaks one thing while a class is recorded, and measures what became of it. */
export type ChaosScenario = {
  readonly about: string;
  /** About how long one run takes on two quiet cores, s. */
  readonly seconds: number;
  /** Runs for which more than one says nothing new. */
  readonly maxRuns?: number;
  /** One run: every row has one sample. */
  readonly run: (options: RunOptions) => Promise<readonly Measurement[]>;
};

export type RunOptions = {
  /** Says on stderr what is being done. */
  readonly say: (what: string) => void;
  /** Folder for the run's logs. */
  readonly keepLogsIn: string;
};

export type ChaosOptions = {
  readonly scenarios: Readonly<Record<string, ChaosScenario>>;
  readonly runs: number;
  /** A file that the JSON lines are appended to, scenario by scenario. */
  readonly appendTo: string;
  readonly logsFolder: string;
  readonly print: (text: string) => void;
  readonly say: (what: string) => void;
  readonly json: boolean;
};

/**
 * Runs scenarios one after the other and prints each one's table as soon as it is there. Resolves with the exit code: 0 when every run
 * came to its end, whatever was measured; 1 when one could not.
 */
export async function runScenarios(
  names: readonly string[],
  options: ChaosOptions,
): Promise<number> {
  let exitCode = 0;
  for (const name of names) {
    const scenario = options.scenarios[name];
    if (scenario === undefined) throw new RangeError(`unknown scenario ${name}`);
    const rows = new Map<string, Measurement>();
    const runs = Math.min(options.runs, scenario.maxRuns ?? Infinity);
    for (let run = 1; run <= runs; run += 1) {
      const startedAt = performance.now();
      const say = (what: string): void => {
        options.say(`${name} ${run}/${runs}: ${what}`);
      };
      try {
        const keepLogsIn = `${options.logsFolder}/${name}-${run}`;
        for (const row of await scenario.run({ say, keepLogsIn })) gather(rows, row);
      } catch (error) {
        exitCode = 1;
        say(error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
      say(`took ${Math.round((performance.now() - startedAt) / 1000)} s`);
    }
    const lines = [...rows.values()].map((row) => judge(`chaos/${name}`, row));
    if (lines.length === 0) continue;
    options.print(`${name}: ${scenario.about}\n${formatTable(lines)}\n`);
    if (options.json) for (const line of lines) options.print(JSON.stringify(line));
    const at = new Date().toISOString();
    const text = lines.map((line) => `${JSON.stringify({ at, ...line })}\n`).join('');
    await appendFile(options.appendTo, text);
  }
  return exitCode;
}

/** One row of several runs. Every run must hold: what is lost in one of them is lost. */
export function judge(bench: string, row: Measurement): ResultLine {
  const line = summarize(bench, row);
  if (row.bound === undefined) return line;
  const holds = row.samples.every(
    (sample) => summarize(bench, { ...row, samples: [sample] }).holds === true,
  );
  return { ...line, holds };
}

function gather(rows: Map<string, Measurement>, row: Measurement): void {
  const before = rows.get(row.name)?.samples ?? [];
  rows.set(row.name, { ...row, samples: [...before, ...row.samples] });
}
