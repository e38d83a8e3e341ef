import { conformanceBench } from './conformance.ts';
import { exactBench } from './exact.ts';
import { runScenario } from './runner.ts';
import { setupBench } from './setup.ts';
import { startBench } from './start.ts';
import { stillBench } from './still.ts';

process.exitCode = await runScenario(process.argv.slice(2), {
  scenarios: {
    conformance: conformanceBench,
    exact: exactBench,
    setup: setupBench,
    start: startBench,
    still: stillBench,
  },
});
