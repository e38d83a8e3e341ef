import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Resources, type Closable } from '../../../src/lifecycle.ts';
import { createLog, type Log } from '../../../src/log.ts';
import type { Recording, RecordingState } from '../../../src/model/recording.ts';
import { startEmbeddedRedis } from '../../../src/queue/embedded-redis.ts';
import { openServices, type Services } from '../../../src/queue/open-services.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { FPS, HEIGHT, WIDTH, type CounterSource } from './counter-source.ts';

/** Queue, storage and index as roles meet them: a real Redis and a folder, gone on close. */
export type RoleFixture = Closable & {
  readonly services: Services;
  readonly log: Log;
  readonly env: Readonly<Record<string, string>>;
};

export async function openRoleFixture(): Promise<RoleFixture> {
  const resources = new Resources();
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'chalkreel-role-'));
  resources.defer(() => rm(dataDir, { recursive: true, force: true }));
  const log = createLog('test', 'silent');
  const redis = resources.use(await startEmbeddedRedis({ dataDir, log }));
  const services = resources.use(
    await openServices({ dataDir, redisUrl: redis.url, storageUrl: undefined }, log),
  );
  return {
    services,
    log,
    env: {
      CHALKREEL_DATA_DIR: dataDir,
      CHALKREEL_REDIS_URL: redis.url,
      CHALKREEL_LOG_LEVEL: 'info',
    },
    close: () => resources.close(),
  };
}

/** A recording as a worker leaves it, without segments yet. */
export async function addRecording(
  { recordings }: Services,
  { id, originMs, state }: { id: string; originMs: number; state: RecordingState },
): Promise<void> {
  const recording: Recording = {
    id,
    externalId: null,
    metadata: {},
    source: { kind: 'page', url: 'http://127.0.0.1/' },
    settings: {
      media: 'audio-video',
      width: WIDTH,
      height: HEIGHT,
      fps: FPS,
      videoBitrate: 1_000_000,
      audioBitrate: 128_000,
      readiness: 'load',
      readinessTimeoutMs: 10_000,
      redundancy: 1,
      maxDurationMs: 86_400_000,
      highlights: { maxClipMs: 600_000, rules: [] },
    },
    state,
    history: [{ state, atMs: originMs }],
    createdAtMs: originMs,
    originMs,
    stopRequestedAtMs: null,
    leadInMs: 0,
    tailPaddingMs: null,
    warnings: [],
  };
  await recordings.create(recording);
}

/** Makes segments durable and appends them to the index, as a worker does. */
export async function publish(
  { store, segments }: Pick<Services, 'store' | 'segments'>,
  recordingId: string,
  source: Pick<CounterSource, 'segments'> & { readonly codecHashOf?: (n: number) => string },
): Promise<void> {
  for (const { n, bytes } of source.segments) {
    const object = objectKeys.segment(recordingId, { n, lane: 0, epoch: 1 });
    await store.putOnce(object, bytes);
    const result = await segments.append(recordingId, {
      n,
      lane: 0,
      epoch: 1,
      place: { object, offset: 0, length: bytes.length },
      codecHash: source.codecHashOf?.(n) ?? 'same',
      publishedAtMs: Date.now(),
    });
    if (!result.appended) throw new Error(`segment ${n} was refused: ${result.reason}`);
  }
}
