import type { ChaosScenario } from '../runner.ts';
import { killChrome, stopChrome } from './break-chrome.ts';
import { flushall, redisDown, redisFrozen } from './break-redis.ts';
import { burst } from './burst.ts';
import { clock } from './clock.ts';
import { drain, rolling } from './drain.ts';
import { killApi } from './kill-api.ts';
import { killWorker, killWorkerRedundant } from './kill-worker.ts';
import { partition } from './partition.ts';
import { restarts } from './restarts.ts';
import { zombie } from './zombie.ts';

/** Every scenario by its name, in the order in which `all` runs them. */
export const SCENARIOS: Readonly<Record<string, ChaosScenario>> = {
  'kill-worker': killWorker,
  'kill-worker-redundant': killWorkerRedundant,
  'kill-chrome': killChrome,
  'stop-chrome': stopChrome,
  zombie,
  drain,
  rolling,
  'redis-down': redisDown,
  'redis-frozen': redisFrozen,
  flushall,
  partition,
  'kill-api': killApi,
  clock,
  burst,
  restarts,
};
