import { runScenario } from './runner.ts';
import { setupBench } from './setup.ts';

process.exitCode = await runScenario(process.argv.slice(2), { scenarios: { setup: setupBench } });
