import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import { hashSegmentCodec } from '../../../src/media/mpegts/codec-hash.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { findManifest } from '../../../src/storage/reencodes.ts';
import { openApiServer, type ApiServer } from '../../support/api-server.ts';
import { startCommand } from '../../support/command.ts';
import { descendantsOf, processesWith } from '../../support/processes.ts';
import { SAMPLE_ORIGIN_MS, sampleEntry, sampleRecording } from '../../support/sample-records.ts';
import { SLOT_PATTERNS, writeSyntheticRecording } from '../../support/synthetic-recording.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** Processes start in one second on a free machine, in many on a busy one; encoders run at idle priority. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });
const PATIENCE_MS = 120_000;
/** Two chunks. */
const SEGMENTS = 30;
/** Slow enough to be killed at it. */
const PROFILE = {
  name: 'small',
  video: {
    codec: 'avc',
    height: 240,
    preset: 'medium',
    crf: 30,
    quality: { ssimDb: 5, worstFrameDb: 3 },
  },
};

const resources = new Resources();
let api: ApiServer;
const marker = `CHALKREEL_TEST_ID=batch-${process.pid}-${Date.now()}`;

beforeAll(async () => {
  api = resources.use(await openApiServer());
  const folder = resources.use(await makeTempFolder('batch-source'));
  await writeSyntheticRecording(folder.path, {
    segments: SEGMENTS,
    // Ten pictures a segment: enough for an encoder, little for a test.
    slots: SLOT_PATTERNS.sparse,
  });
  await store('lesson', folder.path);
});
afterAll(() => resources.close());

/** Puts the lesson's segments into store and index. */
async function store(id: string, folder: string): Promise<void> {
  const { recordings, segments, store: objects } = api.services;
  const { settings } = sampleRecording();
  await recordings.create(
    sampleRecording({
      ...{ id, state: 'completed', originMs: SAMPLE_ORIGIN_MS, traceId: 'trace-of-the-lesson' },
      settings: { ...settings, width: 640, height: 360 },
      history: [{ state: 'completed', atMs: SAMPLE_ORIGIN_MS + 1600 * SEGMENTS }],
    }),
  );
  for (let n = 0; n < SEGMENTS; n += 1) {
    const bytes = await readFile(path.join(folder, `${String(n).padStart(5, '0')}.ts`));
    const object = objectKeys.segment(id, { n, lane: 0, epoch: 1 });
    await objects.put(object, bytes);
    const place = { object, offset: 0, length: bytes.length };
    await segments.append(id, sampleEntry(n, { place, codecHash: hashSegmentCodec(bytes) ?? '' }));
  }
}

type Role = { readonly child: ChildProcess; readonly lines: () => Record<string, unknown>[] };

/** A batch process as the supervisor starts it, one chunk at a time. */
function startRole(): Role {
  const { dataDir, redisUrl } = api.services;
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/batch/main.ts'], {
    env: {
      ...{ PATH: process.env.PATH, CHALKREEL_DATA_DIR: dataDir, CHALKREEL_REDIS_URL: redisUrl },
      ...{ CHALKREEL_BATCH_CRON: 'off', CHALKREEL_BATCH_JOBS: '1', CHALKREEL_BATCH_LOCK_S: '3' },
      // Tests run beside others that want the CPU as well.
      CHALKREEL_BATCH_PRIORITY: 'normal',
      CHALKREEL_TEST_ID: marker.slice(marker.indexOf('=') + 1),
    },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  resources.defer(() => void child.kill('SIGKILL'));
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => (text += more));
  const lines = (): Record<string, unknown>[] =>
    text
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { child, lines };
}

/** It encodes, or has just done so. */
async function isAtWork({ child, lines }: Role): Promise<boolean> {
  if (lines().some(({ event }) => event === 'chunk-encoded')) return true;
  const running = await descendantsOf(child.pid ?? 0);
  return running.some(({ command }) => command.includes('libx264'));
}

describe('the batch role', () => {
  it('re-encodes a recording though a worker is killed, and swaps in what was proved', async () => {
    const roles = [startRole(), startRole()];
    const asked = await api.json('POST', '/v1/recordings/lesson/reencode', { profiles: [PROFILE] });
    expect(asked.status).toBe(202);
    const victim = await waitUntil(
      'one of them encodes',
      async () => {
        for (const role of roles) if (await isAtWork(role)) return role;
        return undefined;
      },
      PATIENCE_MS,
    );
    const encoders = await descendantsOf(victim.child.pid ?? 0);
    const exit = once(victim.child, 'exit');
    victim.child.kill('SIGKILL');
    await exit;
    // Its encoder does not outlive it.
    await waitUntil('its encoder is gone', async () => {
      const left = await processesWith(marker);
      return !left.some(({ pid }) => encoders.some((encoder) => encoder.pid === pid));
    });
    const done = await waitUntil(
      'the API says that it is done',
      async () => {
        const { body } = await api.json('GET', '/v1/recordings/lesson/reencode');
        expect(body.state).not.toBe('failed');
        return body.state === 'completed' && body;
      },
      PATIENCE_MS,
    );
    expect(done).toMatchObject({
      traceId: 'trace-of-the-lesson',
      profiles: [{ profile: 'small', state: 'completed', chunks: { total: 2, done: 2 } }],
    });
    const manifest = await findManifest(api.services.store, 'lesson', 'small');
    expect(manifest).toMatchObject({
      chunks: 2,
      durationMs: 1600 * SEGMENTS,
      proof: { pictures: SEGMENTS * SLOT_PATTERNS.sparse.length, sound: 'copied' },
    });
    for (const { objects } of manifest?.outputs ?? []) {
      for (const { key, bytes } of objects) {
        expect(await api.services.store.find(key)).toMatchObject({ length: bytes });
      }
    }
    // Whatever a worker said about the lesson has its trace.
    const read = (): Record<string, unknown>[] =>
      roles.flatMap(({ lines }) => lines()).filter(({ recordingId }) => recordingId === 'lesson');
    const said = await waitUntil('the worker to say so too', () => {
      const lines = read();
      return lines.some(({ event }) => event === 'reencode-completed') && lines;
    });
    expect(said.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['reencode-planned', 'chunk-encoded']),
    );
    expect(said.every(({ traceId }) => traceId === 'trace-of-the-lesson')).toBe(true);
    const env = {
      CHALKREEL_DATA_DIR: api.services.dataDir,
      CHALKREEL_REDIS_URL: api.services.redisUrl,
      CHALKREEL_LOG_LEVEL: 'warn',
    };
    const commands = [
      ['batch', 'status', 'lesson'],
      ['batch', '--json'],
      ['batch', 'start', 'lesson', '--profiles', 'nonsense'],
    ].map((args) => startCommand(args, { marker: 'batch-command', env }).finished);
    const [shown, whole, refused] = await Promise.all(commands);
    expect(shown?.stderr).toBe('');
    expect(shown?.stdout).toMatch(/^lesson {2}completed\n {2}small: .* became .*SSIM/);
    expect(JSON.parse(whole?.stdout ?? '')).toMatchObject({ night: null, workers: [{ slots: 1 }] });
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('got nonsense') as string,
    });
    const survivor = roles.find((role) => role !== victim);
    const end = once(survivor!.child, 'exit');
    survivor!.child.kill('SIGTERM');
    expect(await end).toEqual([0, null]);
    expect(await processesWith(marker)).toEqual([]);
  });
});
