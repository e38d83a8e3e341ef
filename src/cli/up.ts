import { availableParallelism } from 'node:os';
import type { Config } from '../config.ts';
import { createLog } from '../log.ts';
import { whenToldToStop } from '../parent-watch.ts';
import { startSystem } from './supervisor.ts';

/** Runs the whole system until SIGINT or SIGTERM; prints where the API is and its key. */
export async function runUp(config: Config): Promise<void> {
  const toldToStop = whenToldToStop();
  const log = createLog('supervisor', config.logLevel);
  const system = await startSystem({ config, log });
  const { url, apiKey } = system;
  const slots = config.slots ?? availableParallelism();
  process.stdout.write(
    `Chalkreel is up: ${url} (${slots} recordings at a time)\nAPI key: ${apiKey}\n`,
  );
  const reason = await toldToStop;
  log.info({ reason }, 'stopping');
  await system.close();
}
