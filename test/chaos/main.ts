import path from 'node:path';
import { parseArgs } from 'node:util';
import { closeAll } from './resources.ts';
import { runScenarios } from './runner.ts';
import { SCENARIOS } from './scenarios/all.ts';

/** `npm run chaos -- NAME… | all [--runs N] [--from NAME] [--json]`: breaks things while a class is recorded. */

const EXIT_INPUT = 2;
const EXIT_SIGNAL = 130;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    console.error('ending what was started');
    void closeAll().finally(() => process.exit(EXIT_SIGNAL));
  });
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    runs: { type: 'string', default: '1' },
    /** With `all`: begins with this one, where an earlier call was broken off. */
    from: { type: 'string' },
  },
});
const known = Object.keys(SCENARIOS);
const names = positionals.includes('all')
  ? known.slice(values.from === undefined ? 0 : known.indexOf(values.from))
  : positionals;
const unknown = [...positionals, ...(values.from === undefined ? [] : [values.from])].filter(
  (name) => name !== 'all' && !known.includes(name),
);
const runs = Number(values.runs);

if (names.length === 0 || unknown.length > 0) {
  console.error(
    unknown.length > 0
      ? `unknown name "${unknown.join(' ')}", expected all or some of:`
      : 'expected all or some of:',
  );
  for (const [name, { about, seconds }] of Object.entries(SCENARIOS))
    console.error(`  ${name}: ${about} (about ${seconds} s)`);
  process.exitCode = EXIT_INPUT;
} else if (!Number.isInteger(runs) || runs < 1) {
  console.error(`--runs: expected a whole number from 1, got "${values.runs}"`);
  process.exitCode = EXIT_INPUT;
} else {
  process.exitCode = await runScenarios(names, {
    scenarios: SCENARIOS,
    runs,
    json: values.json,
    appendTo: path.resolve('chaos-results.jsonl'),
    logsFolder: path.resolve('.cache/chaos'),
    print: (text) => console.log(text),
    say: (what) => console.error(`${new Date().toISOString().slice(11, 19)} ${what}`),
  });
}
