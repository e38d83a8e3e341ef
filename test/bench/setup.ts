import { runProgram } from '../support/programs.ts';
import type { Scenario } from './runner.ts';

const RUNS = 7;

/** How long set-up takes when there is nothing to do: what it adds to every `npm run demo` and `npm test`. */
export const setupBench: Scenario = {
  about: 'seconds docker/setup.sh takes when everything is there',
  run: async () => {
    // Once unmeasured, so that everything is there.
    await runProgram('bash', ['docker/setup.sh', '--test']);
    return [
      {
        name: 'setup-when-ready',
        unit: 's',
        samples: await times(['docker/setup.sh']),
        bound: { is: '<=', value: 2 },
      },
      {
        name: 'setup-when-ready-tests',
        unit: 's',
        samples: await times(['docker/setup.sh', '--test']),
        bound: { is: '<=', value: 2 },
      },
    ];
  },
};

async function times(args: readonly string[]): Promise<number[]> {
  const samples: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const startedAtMs = performance.now();
    await runProgram('bash', args);
    samples.push((performance.now() - startedAtMs) / 1000);
  }
  return samples;
}
