import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { ulid } from 'ulid';
import { Resources } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import type { ReencodeManifest, ReencodeProfile } from '../../../src/model/reencode.ts';
import { isOpenRun, type ReencodeRun } from '../../../src/model/reencode-run.ts';
import { requestReencode } from '../../../src/queue/request-reencode.ts';
import { findManifest } from '../../../src/storage/reencodes.ts';
import { openTestServices, type TestServices } from '../../support/test-services.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { Material } from './material.ts';
import { startBatchWorkers, type BatchWorker } from './workers.ts';
import { storeRecording } from './stored.ts';

const RECORDING = 'lesson';
/** Far more than any recording of a bench takes on one core. */
const TIMEOUT_MS = 3 * 3_600_000;

export type ProductRunOptions = {
  readonly material: Pick<Material, 'files'>;
  readonly profile: ReencodeProfile;
  readonly workers: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Where the MP4 is copied to. */
  readonly output?: string;
  /** What goes on meanwhile; called off when the run is over. */
  readonly beside?: (
    run: { readonly services: TestServices; readonly workers: readonly BatchWorker[] },
    signal: AbortSignal,
  ) => Promise<void>;
};

export type ProductRun = {
  readonly manifest: ReencodeManifest;
  /** From the wish to all being encoded and joined, and from then on to its being proved and swapped in. */
  readonly encodeSeconds: number;
  readonly proveSeconds: number;
  /** CPU of each worker until all was joined, s. */
  readonly workerCpu: readonly number[];
};

/** Stores a recording afresh and has it re-encoded by the product: its queue, its worker processes, its proof. */
export async function runProduct(options: ProductRunOptions): Promise<ProductRun> {
  const resources = new Resources();
  const over = new AbortController();
  try {
    const services = resources.use(await openTestServices());
    await storeRecording(services, RECORDING, options.material);
    const { workers } = resources.use(
      await startBatchWorkers(services, options.workers, options.env),
    );
    const beside = options.beside?.({ services, workers }, over.signal);
    beside?.catch(() => undefined);
    const times = await measureRun(services, options.profile, workers);
    over.abort(new Error('the run is over'));
    await beside;
    const manifest = await findManifest(services.store, RECORDING, options.profile.name);
    if (manifest === undefined) throw new Error('expected a manifest, found none');
    if (options.output !== undefined) await keepMp4(services, manifest, options.output);
    return { manifest, ...times };
  } finally {
    over.abort(new Error('the run is over'));
    await resources.close();
  }
}

async function measureRun(
  services: TestServices,
  profile: ReencodeProfile,
  workers: readonly BatchWorker[],
): Promise<Omit<ProductRun, 'manifest'>> {
  const log = createLog('bench', 'silent');
  const before = await readCpu(workers);
  const startedAt = performance.now();
  const wish = { profiles: [profile], origin: 'api', night: null, nowMs: Date.now() } as const;
  await requestReencode(RECORDING, wish, { ...services, log, newId: ulid });
  await untilRun(services, ({ state }) => state === 'proving');
  const joinedAt = performance.now();
  const after = await readCpu(workers);
  await untilRun(services, ({ state }) => state === 'completed');
  return {
    encodeSeconds: (joinedAt - startedAt) / 1000,
    proveSeconds: (performance.now() - joinedAt) / 1000,
    workerCpu: after.map((cpu, i) => cpu - (before[i] ?? 0)),
  };
}

/** Of a worker that was killed, 0. */
function readCpu(workers: readonly BatchWorker[]): Promise<readonly number[]> {
  return Promise.all(workers.map((worker) => worker.cpuSeconds()));
}

async function untilRun(
  { recordings }: TestServices,
  isThere: (run: ReencodeRun) => boolean,
): Promise<void> {
  await waitUntil(
    'the re-encode goes on',
    async () => {
      const run = (await recordings.get(RECORDING)).reencodes?.[0];
      if (run === undefined) return false;
      if (!isOpenRun(run) && run.state !== 'completed') {
        throw new Error(`the re-encode is ${run.state}: ${run.reason ?? ''} ${run.detail ?? ''}`);
      }
      return run.state === 'completed' || isThere(run);
    },
    TIMEOUT_MS,
  );
}

async function keepMp4(
  { dataDir }: TestServices,
  manifest: ReencodeManifest,
  output: string,
): Promise<void> {
  const entry = manifest.outputs.find(({ kind }) => kind === 'mp4')?.entry;
  if (entry === undefined) throw new Error('expected an MP4 among the outputs');
  await mkdir(path.dirname(output), { recursive: true });
  await copyFile(path.join(dataDir, 'storage', entry), output);
}
