import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Highlight } from '../../../src/model/highlight.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { verifyTarget } from '../../../src/verify/verify.ts';
import { makeCounterSource, type CounterSource } from './counter-source.ts';
import { addRecording, openRoleFixture, publish, type RoleFixture } from './role-fixture.ts';

/** A role process starts in one second on a free machine, in several on a busy one. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

/** "Exits within a few seconds" of SIGTERM. */
const STOP_MS = 5000;
/** A clip, that of a killed worker included: its job is taken over 6 to 9 s later. */
const CLIP_MS = 40_000;
let role: RoleFixture;
let source: CounterSource;
const children: ChildProcess[] = [];

beforeAll(async () => {
  const everySlot = Array.from({ length: 48 }, (_, slot) => slot);
  [role, source] = await Promise.all([
    openRoleFixture(),
    makeCounterSource({ segments: 4, slotsOf: () => everySlot, profile: 'baseline' }),
  ]);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await role.close();
});

type Role = { readonly child: ChildProcess; readonly stderr: () => string };

async function startRole(env: Readonly<Record<string, string>> = role.env): Promise<Role> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'highlight/main.ts'], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  children.push(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const isUp = (): boolean => stderr.includes('is ready') || child.exitCode !== null;
  await vi.waitUntil(isUp, { timeout: 20_000 });
  return { child, stderr: () => stderr };
}

async function stop({ child }: Role): Promise<{ code: number | null; tookMs: number }> {
  const startedAt = performance.now();
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = (await exit) as [number | null];
  return { code, tookMs: performance.now() - startedAt };
}

async function request(recordingId: string): Promise<Highlight> {
  const wish = { atMs: source.originMs + 5000, beforeMs: 3000, afterMs: 1000 };
  return (await role.services.requestHighlight(recordingId, wish, 'api')).highlight;
}

function waitForState(id: string, state: Highlight['state']): Promise<unknown> {
  const { highlights } = role.services;
  return expect
    .poll(async () => (await highlights.get(id)).state, { timeout: CLIP_MS })
    .toBe(state);
}

/** Where the store keeps a clip. */
function storedFile(id: string): string {
  return path.join(role.env.CHALKREEL_DATA_DIR ?? '', 'storage', objectKeys.clipMp4(id));
}

async function childrenOf(pid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(
    pids.map(async (child) => {
      const stat = await readFile(`/proc/${child}/stat`, 'utf8').catch(() => '');
      return { child, parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) };
    }),
  );
  return parents.filter(({ parent }) => parent === pid).map(({ child }) => child);
}

describe('the highlight role', () => {
  it('makes clips from the queue, and ends on SIGTERM', async () => {
    const { services } = role;
    await addRecording(services, { id: 'whole', originMs: source.originMs, state: 'recording' });
    await services.recordings.update('whole', (present) => ({ ...present, traceId: 'its-trace' }));
    await publish(services, 'whole', source);
    const process = await startRole();
    const { id } = await request('whole');
    await waitForState(id, 'completed');
    const { code, tookMs } = await stop(process);
    const lines = process.stderr().trim().split('\n');
    const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(said.filter(({ recordingId }) => recordingId === 'whole')).toEqual([
      expect.objectContaining({ msg: 'clip completed', highlightId: id, traceId: 'its-trace' }),
    ]);
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(STOP_MS);
  });

  it('gives a job back on SIGTERM, and the next process finishes it', async () => {
    const { services } = role;
    await addRecording(services, { id: 'open', originMs: source.originMs, state: 'recording' });
    await publish(services, 'open', { segments: source.segments.slice(0, 2) });
    const { id } = await request('open');
    const first = await startRole();
    // It waits for segment 3, which is not there yet.
    const isTaken = async (): Promise<boolean> =>
      (await services.redis.client.exists(`chalkreel:queue:highlights:${id}:lock`)) === 1;
    await vi.waitUntil(isTaken, { timeout: 20_000 });
    const { code, tookMs } = await stop(first);
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(STOP_MS);
    expect((await services.highlights.get(id)).state).toBe('open');
    await publish(services, 'open', { segments: source.segments.slice(2) });
    const second = await startRole();
    await waitForState(id, 'completed');
    expect((await services.highlights.get(id)).clip?.mp4.durationMs).toBe(4000);
    expect(await childrenOf(second.child.pid!)).toEqual([]);
    await stop(second);
  });

  it('loses nothing to a kill -9, and never makes two different files of one highlight', async () => {
    const { services } = role;
    await addRecording(services, { id: 'killed', originMs: source.originMs, state: 'recording' });
    await publish(services, 'killed', source);
    const { store } = services;
    const mp4Of = async (id: string) => store.find(objectKeys.clipMp4(id));
    const first = await startRole();
    const requested = await Promise.all(
      [0, 1, 2].map(async (i) => {
        const wish = {
          triggerId: `kill-${i}`,
          atMs: source.originMs + 5000,
          beforeMs: 3000 - i,
          afterMs: 1000,
        };
        return (await services.requestHighlight('killed', wish, 'api')).highlight.id;
      }),
    );
    // In the middle of it: windows are fixed, not all files are there.
    const isAtWork = async (): Promise<boolean> => {
      const found = await Promise.all(requested.map((id) => services.highlights.get(id)));
      return found.some(({ state }) => state !== 'open');
    };
    await vi.waitUntil(isAtWork, { timeout: 20_000, interval: 2 });
    first.child.kill('SIGKILL');
    const before = await Promise.all(requested.map(mp4Of));
    // Two at once from then on: both may hold a job whose lock has lapsed.
    const others = await Promise.all([startRole(), startRole()]);
    await Promise.all(requested.map((id) => waitForState(id, 'completed')));
    for (const [i, id] of requested.entries()) {
      const stored = await mp4Of(id);
      expect((await services.highlights.get(id)).clip?.mp4.length).toBe(stored?.length);
      // What the killed one had stored is still that very file.
      if (before[i] !== undefined) expect(stored).toEqual(before[i]);
      const { violations } = await verifyTarget(storedFile(id), { decode: false });
      expect(violations).toEqual([]);
    }
    for (const other of others) await stop(other);
  });

  it('says in one line what is missing, with exit code 2', async () => {
    const { CHALKREEL_REDIS_URL: _, ...env } = role.env;
    const { child, stderr } = await startRole(env);
    expect(child.exitCode).toBe(2);
    expect(stderr().trim()).toBe('chalkreel: CHALKREEL_REDIS_URL: expected the Redis to use');
  });
});
