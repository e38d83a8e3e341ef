import { exactBench } from './exact.ts';
import { runScenario } from './runner.ts';
import { setupBench } from './setup.ts';
import { startBench } from './start.ts';

process.exitCode = await runScenario(process.argv.slice(2), {
  scenarios: { exact: exactBench, setup: setupBench, start: startBench },
});
