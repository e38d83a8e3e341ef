import path from 'node:path';

/** One thing `npm run check` or `npm test` does. */
export type Step = {
  readonly name: string;
  readonly command: readonly string[];
  /** Steps of a stage run side by side; a stage begins when the one before has ended. */
  readonly stage: number;
  /** Where vitest writes its JSON report; without it the step is counted as one. */
  readonly report?: string;
};

export const RESULTS_DIR = '.cache/test';

const node = process.execPath;
const bin = (file: string): string => path.join('node_modules', file);

function vitest(name: string, project: string, stage: number, runtime = node): Step {
  const report = path.join(RESULTS_DIR, `${name}.json`);
  return {
    name,
    stage,
    report,
    command: [
      ...[runtime, bin('vitest/vitest.mjs'), 'run', '--project', project],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ],
  };
}

/** What does not need Redis, ffmpeg or Chromium: about a minute. The longest come first. */
export const CHECK_STEPS: readonly Step[] = [
  { name: 'lint', stage: 0, command: [node, bin('eslint/bin/eslint.js'), '.'] },
  { name: 'format', stage: 0, command: [node, bin('prettier/bin/prettier.cjs'), '--check', '.'] },
  vitest('unit', 'unit', 0),
  { name: 'types', stage: 0, command: [node, bin('typescript/bin/tsc'), '-p', 'tsconfig.json'] },
  {
    name: 'types-pages',
    stage: 0,
    command: [node, bin('typescript/bin/tsc'), '-p', 'tsconfig.pages.json'],
  },
  {
    name: 'boundaries',
    stage: 0,
    command: [
      ...[node, bin('dependency-cruiser/bin/dependency-cruise.mjs')],
      ...['src', 'recorder', 'highlight', 'test', '--config', '.dependency-cruiser.cjs'],
    ],
  },
  { name: 'unused', stage: 0, command: [node, bin('knip/bin/knip.js'), '--no-progress'] },
  {
    name: 'dockerfile',
    stage: 0,
    command: [node, bin('dockerfile-utils/bin/dockerfile-utils'), 'lint', 'docker/Dockerfile'],
  },
  { name: 'shell', stage: 0, command: ['bash', 'test/run/shell.sh'] },
];

/** Everything: the checks, the unit tests under Node 24, and what needs real programs. In a stage the longest comes first. */
export const ALL_STEPS: readonly Step[] = [
  ...CHECK_STEPS.filter(({ name }) => name !== 'lint'),
  vitest('integration', 'integration', 1),
  vitest('web', 'web', 1),
  vitest('e2e', 'e2e', 2),
  ...CHECK_STEPS.filter(({ name }) => name === 'lint').map(besideBrowsers),
  besideBrowsers(vitest('unit-node24', 'unit', 2, node24())),
];

/** Tests with browsers wait for most of their time: what needs nobody's promptness runs beside them, and gives way. */
function besideBrowsers(step: Step): Step {
  const patience = step.report === undefined ? [] : ['--testTimeout=60000'];
  return { ...step, stage: 2, command: ['nice', '-n', '19', ...step.command, ...patience] };
}

/** Installed by set-up from test/node24; a package of Node's own binary for this platform. */
function node24(): string {
  return path.resolve(
    'test/node24/node_modules',
    `node-${process.platform}-${process.arch}`,
    'bin/node',
  );
}
