import { randomUUID } from 'node:crypto';
import { ulid } from 'ulid';
import { openBatchWorker } from '../../src/batch/worker.ts';
import type { BatchMedia, PlannedChunk } from '../../src/batch/media.ts';
import { loadConfig, type Config } from '../../src/config.ts';
import { delay, Resources, type Closable } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import type { Recording } from '../../src/model/recording.ts';
import type { ReencodeManifest } from '../../src/model/reencode.ts';
import { BatchBoard } from '../../src/queue/batch-board.ts';
import { objectKeys } from '../../src/storage/keys.ts';
import { openApiServer, type ApiServer } from './api-server.ts';
import { sampleEntry, sampleRecording, SAMPLE_ORIGIN_MS } from './sample-records.ts';
import type { TestServices } from './test-services.ts';
import { waitUntil } from './wait-until.ts';

/** For what takes a worker a moment: machines that run tests have other things to do as well. */
export const PATIENCE_MS = 30_000;
/** Longer than any test: what takes so long only ends by being called off. */
export const FOR_EVER_MS = 600_000;
/** Segments of a chunk that the stand-in plans. */
const CHUNK_SEGMENTS = 2;

/** What the stand-in for media was asked, in order. */
export type MediaCall = {
  readonly kind: 'plan' | 'chunk' | 'finish';
  readonly recordingId: string;
  readonly chunk?: number;
  readonly worker: string;
};

export type StandInMedia = BatchMedia & {
  readonly calls: MediaCall[];
  /** Chunks at work at the moment. */
  readonly atWork: Set<string>;
};

/**
 * Media without media: what takes an encoder minutes takes `encodeMs`, and what was made is remembered by name, as the store does. Called off,
 * it ends at once.
 */
export function standInMedia(options: {
  /** Of each encode, by how many there were before. */
  readonly encodeMs?: number | ((nth: number) => number);
  readonly worker?: string;
  /** Names of chunks that are there; shared by workers. */
  readonly made?: Set<string>;
  /** Throws for what is to fail. */
  readonly poison?: (recordingId: string, chunk: number) => void;
}): StandInMedia {
  const { encodeMs = 20, worker = 'one', made = new Set<string>() } = options;
  const tookMs = (nth: number): number => (typeof encodeMs === 'number' ? encodeMs : encodeMs(nth));
  let encodes = 0;
  const calls: MediaCall[] = [];
  const atWork = new Set<string>();
  return {
    calls,
    atWork,
    plan({ recording }) {
      calls.push({ kind: 'plan', recordingId: recording.id, worker });
      const count = Number(recording.metadata.segments);
      return Promise.resolve(planOf(recording.id, count));
    },
    async encodeChunk({ recording }, { chunk }, { signal, onProgress }) {
      const name = `${recording.id}-${chunk.index}`;
      calls.push({ kind: 'chunk', recordingId: recording.id, chunk: chunk.index, worker });
      options.poison?.(recording.id, chunk.index);
      const wasThere = made.has(name);
      atWork.add(name);
      try {
        onProgress(0.5);
        if (!wasThere) await delay(tookMs(encodes++), signal);
      } finally {
        atWork.delete(name);
      }
      made.add(name);
      return {
        ...{ index: chunk.index, name, media: `${name}.media`, tables: `${name}.json` },
        ...{ pictures: 96, bytes: 1000, firstN: chunk.segments[0]?.n ?? 0 },
        ...{ segments: chunk.segments.length, encoder: 'none', wasThere, tookMs: tookMs(0) },
      };
    },
    async finish({ recording, run }, results, { onState, mayReplace }) {
      calls.push({ kind: 'finish', recordingId: recording.id, worker });
      await onState('joining');
      await onState('proving');
      if (!(await mayReplace())) throw new Error('Not wanted');
      return manifestOf(recording, run.profile, results.length);
    },
  };
}

function planOf(recordingId: string, count: number): PlannedChunk[] {
  const entries = Array.from({ length: count }, (_, n) => sampleEntry(n));
  const chunks = Math.ceil(count / CHUNK_SEGMENTS);
  return Array.from({ length: chunks }, (_, index) => ({
    chunk: {
      index,
      segments: entries
        .slice(index * CHUNK_SEGMENTS, (index + 1) * CHUNK_SEGMENTS)
        .map(({ n, codecHash }) => ({ n, codecHash, place: placeOf(recordingId, n) })),
    },
    settings: { crf: 25 },
  }));
}

function manifestOf(
  { id }: Recording,
  profile: ReencodeManifest['profile'],
  chunks: number,
): ReencodeManifest {
  return {
    ...{ version: 1, recordingId: id, profile, madeAtMs: 0, width: 320, height: 240 },
    ...{ durationMs: 3200 * chunks, missingMs: 0, outputs: [], chunks, encoders: ['none'] },
    source: { hash: '', firstN: 0, lastN: 1, segments: 2, bytes: 8 },
    proof: {
      ...{ pictures: 96, ptsHash: '', soundFrames: 150, sound: 'copied', tookMs: 1 },
      quality: { ssimDb: 20, worstFrameDb: 15, worstFrameAtMs: 0, seamSsimDb: null },
    },
    crf: { least: 25, most: 25 },
    gopSegments: 2,
    bytesBefore: 3000,
    bytesAfter: 1000,
  };
}

function placeOf(
  recordingId: string,
  n: number,
): { object: string; offset: number; length: number } {
  const object = objectKeys.segment(recordingId, { n, lane: 0, epoch: 1 });
  return { object, offset: 0, length: 4 };
}

/** A recording that is over, with so many segments in its index. */
export async function addFinished(
  { recordings, segments }: Pick<TestServices, 'recordings' | 'segments'>,
  options: { readonly segments: number } & Partial<Recording>,
): Promise<string> {
  const { segments: count, ...change } = options;
  const id = change.id ?? ulid();
  const endedAtMs = SAMPLE_ORIGIN_MS + 1600 * count;
  await recordings.create(
    sampleRecording({
      ...{ id, originMs: SAMPLE_ORIGIN_MS, leadInMs: 0, metadata: { segments: count } },
      ...{ state: 'completed', history: [{ state: 'completed', atMs: endedAtMs }], ...change },
    }),
  );
  for (let n = 0; n < count; n += 1) {
    await segments.append(id, sampleEntry(n, { place: placeOf(id, n) }));
  }
  return id;
}

/** Real queue, index and api, and workers on them whose media are stand-ins. Closing ends the workers too. */
export type BatchWorld = Closable & {
  readonly api: ApiServer;
  readonly board: BatchBoard;
  /** Starts a worker in this process; whoever does not close it leaves that to `endWorkers`. */
  readonly work: (media: BatchMedia, env?: Readonly<Record<string, string>>) => Promise<Closable>;
  readonly endWorkers: () => Promise<void>;
  /** Waits until the api says this of a recording's re-encode; resolves to its answer. */
  readonly untilState: (id: string, state: string) => Promise<Record<string, unknown>>;
};

/** Opens one. */
export async function openBatchWorld(): Promise<BatchWorld> {
  const resources = new Resources();
  const api = resources.use(await openApiServer());
  const workers: Closable[] = [];
  const endWorkers = async (): Promise<void> => {
    for (const worker of workers.splice(0)) await worker.close();
  };
  resources.defer(endWorkers);
  return {
    api,
    board: new BatchBoard(api.services.redis.client),
    endWorkers,
    work: async (media, env = {}) => {
      const worker = await openStandInWorker(batchConfig(api.services, env), media);
      workers.push(worker);
      return worker;
    },
    untilState: (id, state) =>
      waitUntil(
        `${id} is ${state}`,
        async () => {
          const { body } = await api.json('GET', `/v1/recordings/${id}/reencode`);
          return body.state === state && body;
        },
        PATIENCE_MS,
      ),
    close: () => resources.close(),
  };
}

/** The settings of a worker for these services, never beginning a night by itself unless told otherwise. */
function batchConfig(
  { dataDir, redisUrl }: Pick<TestServices, 'dataDir' | 'redisUrl'>,
  env: Readonly<Record<string, string>> = {},
): Config {
  return loadConfig({
    ...{ CHALKREEL_DATA_DIR: dataDir, CHALKREEL_REDIS_URL: redisUrl },
    ...{ CHALKREEL_BATCH_CRON: 'off', CHALKREEL_BATCH_TIME_ZONE: 'UTC' },
    ...{ CHALKREEL_BATCH_JOBS: '2', CHALKREEL_BATCH_LOCK_S: '2', ...env },
  });
}

/** A worker in this process. The caller closes it. */
function openStandInWorker(config: Config, media: BatchMedia): Promise<Closable> {
  const slots = config.batch.jobs ?? 2;
  const log = createLog(`batch-${randomUUID().slice(0, 4)}`, 'silent');
  return openBatchWorker({ config, log, slots, openMedia: () => media });
}
