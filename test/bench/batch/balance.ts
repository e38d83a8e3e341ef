import { delay } from '../../../src/lifecycle.ts';
import type { Measurement } from '../measure.ts';
import type { Material } from './material.ts';
import { runProduct, type ProductRun, type ProductRunOptions } from './product-run.ts';
import { FIXED_PROFILE } from './whole.ts';
import { startBatchWorker, type BatchWorker } from './workers.ts';

const WORKERS = [1, 2, 4] as const;
/** Workers while some are killed. */
const KILLED_AMONG = 2;
/** A killed worker's chunk is taken over after so long, s: shorter than in production, or waiting would be all there is. */
const KILL_ENV = { CHALKREEL_BATCH_LOCK_S: '2' };

/** How evenly work is spread over worker processes, and whether their number, or that they die, changes a byte. */
export async function measureBalance(options: {
  readonly material: Material;
  /** Workers to be killed. */
  readonly kills: number;
  readonly parts: { readonly balance: boolean; readonly hash: boolean };
}): Promise<Measurement[]> {
  const { material, kills, parts } = options;
  const runs: { readonly count: number; readonly run: ProductRun }[] = [];
  for (const count of WORKERS) {
    console.error(`balance: ${count} workers`);
    runs.push({
      count,
      run: await runProduct({ material, profile: FIXED_PROFILE, workers: count }),
    });
  }
  return [
    ...(parts.balance ? runs.flatMap(({ count, run }) => describeBalance(count, run)) : []),
    ...(parts.hash
      ? await measureHashes(
          runs.map(({ run }) => run),
          { material, kills },
        )
      : []),
  ];
}

function describeBalance(count: number, { encodeSeconds, workerCpu }: ProductRun): Measurement[] {
  const busiest = Math.max(...workerCpu);
  const mean = workerCpu.reduce((sum, cpu) => sum + cpu, 0) / workerCpu.length;
  return [
    { name: `balance-${count}`, unit: 'mean/busiest', samples: [mean / busiest] },
    { name: `balance-${count}-wall`, unit: 's', samples: [encodeSeconds] },
  ];
}

/** Whether all runs, those with killed workers too, made the same bytes. */
async function measureHashes(
  runs: readonly ProductRun[],
  { material, kills }: { readonly material: Material; readonly kills: number },
): Promise<Measurement[]> {
  const expected = hashOf(runs[0]);
  // So that the kills fall into the encoding, wherever in it.
  const meanMs = ((runs[1]?.encodeSeconds ?? 1) * 1000) / kills;
  const killed: ProductRun[] = [];
  let done = 0;
  while (done < kills) {
    console.error(`hash-equal: ${done} of ${kills} workers killed`);
    const beside: ProductRunOptions['beside'] = async ({ services, workers }, signal) => {
      done += await killAtRandom({ workers, meanMs, kills: kills - done, signal }, () =>
        startBatchWorker(services, KILL_ENV),
      );
    };
    const run = { material, profile: FIXED_PROFILE, workers: KILLED_AMONG, env: KILL_ENV, beside };
    killed.push(await runProduct(run));
  }
  const all = [...runs, ...killed];
  return [
    {
      name: 'hash-equal',
      unit: 'all equal',
      // One figure of all runs: a median would forgive some.
      samples: [Number(all.every((run) => hashOf(run) === expected))],
      bound: { is: '==', value: 1 },
    },
    { name: 'hash-equal-runs', unit: '', samples: [all.length] },
    { name: 'workers-killed', unit: '', samples: [done] },
    {
      name: 'wall-while-killed',
      unit: 's',
      samples: killed.map(({ encodeSeconds }) => encodeSeconds),
    },
  ];
}

/** Every object of every output, as the manifest has them. */
function hashOf(run: ProductRun | undefined): string {
  return (run?.manifest.outputs ?? [])
    .flatMap(({ objects }) => objects.map(({ sha256 }) => sha256))
    .join(' ');
}

/** Kills a worker now and then, and puts another in its place, until all is done or called off; resolves to how many it killed. */
async function killAtRandom(
  options: {
    readonly workers: readonly BatchWorker[];
    readonly meanMs: number;
    readonly kills: number;
    readonly signal: AbortSignal;
  },
  replace: () => Promise<BatchWorker>,
): Promise<number> {
  const { meanMs, signal } = options;
  const alive = [...options.workers];
  const replacements: BatchWorker[] = [];
  let killed = 0;
  try {
    while (killed < options.kills && !signal.aborted) {
      await delay(2 * meanMs * Math.random(), signal);
      const at = Math.floor(Math.random() * alive.length);
      const [victim] = alive.splice(at, 1);
      await victim?.kill();
      killed += 1;
      const replacement = await replace();
      replacements.push(replacement);
      alive.push(replacement);
    }
    await untilAborted(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await Promise.all(replacements.map((worker) => worker.close()));
  }
  return killed;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
