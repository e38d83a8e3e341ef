import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Gate } from '../../../highlight/gate.ts';
import { processHighlight } from '../../../highlight/process-highlight.ts';
import { systemClock, type Clock } from '../../../src/clock.ts';
import type { Highlight } from '../../../src/model/highlight.ts';
import type { RecordingState } from '../../../src/model/recording.ts';
import type { RetryLater } from '../../../src/queue/consume.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { readClip } from './clip-reader.ts';
import { makeCounterSource, type CounterSource } from './counter-source.ts';
import { addRecording, openRoleFixture, publish, type RoleFixture } from './role-fixture.ts';

/** Each test runs several ffmpeg processes; a busy machine takes seconds for what a free one does in one. */
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const SEGMENTS = 5;
let role: RoleFixture;
let source: CounterSource;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'chalkreel-clip-'));
  const everySlot = Array.from({ length: 48 }, (_, slot) => slot);
  [role, source] = await Promise.all([
    openRoleFixture(),
    makeCounterSource({ segments: SEGMENTS, slotsOf: () => everySlot, profile: 'baseline' }),
  ]);
});
afterAll(async () => {
  await role.close();
  await rm(folder, { recursive: true, force: true });
});

let recordings = 0;

/** A recording with the first segments of the source. */
async function record(segments: number, state: RecordingState): Promise<string> {
  const id = `rec${recordings++}`;
  await addRecording(role.services, { id, originMs: source.originMs, state });
  await publish(role.services, id, { segments: source.segments.slice(0, segments) });
  return id;
}

/** Someone presses at `atMs` from the recording's start. */
async function trigger(
  recordingId: string,
  { atMs, beforeMs, afterMs }: { atMs: number; beforeMs: number; afterMs: number },
): Promise<Highlight> {
  const wish = { atMs: source.originMs + atMs, beforeMs, afterMs };
  return (await role.services.requestHighlight(recordingId, wish, 'api')).highlight;
}

const never = new AbortController().signal;

function parts(clock: Clock = systemClock) {
  const { services, log } = role;
  return { ...services, clock, log, workDir: path.join(folder, 'clips'), encoders: new Gate(2) };
}

function run(id: string, signal = never): Promise<RetryLater | undefined> {
  return processHighlight(id, parts(), signal);
}

async function countersOf(id: string): Promise<readonly number[]> {
  const file = path.join(folder, `${id}.mp4`);
  await writeFile(file, await role.services.store.read(objectKeys.clipMp4(id)));
  return (await readClip(file)).counters;
}

describe('processHighlight', () => {
  it('stores MP4 and poster, and completes the highlight', async () => {
    const recordingId = await record(SEGMENTS, 'recording');
    const { id } = await trigger(recordingId, { atMs: 4000, beforeMs: 2000, afterMs: 1000 });
    await run(id);
    const { state, clip, warnings } = await role.services.highlights.get(id);
    expect({ state, warnings }).toEqual({ state: 'completed', warnings: [] });
    const stored = await role.services.store.find(objectKeys.clipMp4(id));
    expect(clip?.mp4).toEqual({
      object: objectKeys.clipMp4(id),
      length: stored?.length,
      durationMs: 3000,
    });
    const poster = await role.services.store.read(clip!.poster!.object);
    expect([...poster.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
    expect(await countersOf(id)).toEqual(Array.from({ length: 90 }, (_, i) => 60 + i));
  });

  it('waits for the segment that holds the end of the window', async () => {
    const recordingId = await record(2, 'recording');
    const { id } = await trigger(recordingId, { atMs: 3000, beforeMs: 1000, afterMs: 1000 });
    const job = run(id);
    const { segments } = role.services;
    const reads = vi.spyOn(segments, 'readNumbers');
    await vi.waitUntil(() => reads.mock.calls.length > 1, { timeout: 10_000 });
    reads.mockRestore();
    expect((await role.services.highlights.get(id)).state).toBe('open');
    await publish(role.services, recordingId, { segments: source.segments.slice(2, 3) });
    await job;
    expect(await countersOf(id)).toEqual(Array.from({ length: 60 }, (_, i) => 60 + i));
  });

  it('clamps the window to a recording that is over, and says so', async () => {
    const recordingId = await record(2, 'recording');
    const { id } = await trigger(recordingId, { atMs: 3000, beforeMs: 1000, afterMs: 9000 });
    await role.services.recordings.update(recordingId, (recording) => ({
      ...recording,
      state: 'completed',
    }));
    await run(id);
    const highlight = await role.services.highlights.get(id);
    expect(highlight.window).toEqual({
      startMs: source.originMs + 2000,
      endMs: source.originMs + 3200,
    });
    expect(highlight.clip?.mp4.durationMs).toBe(1200);
    expect(highlight.warnings).toEqual([
      'The recording ends 8800 ms before the window: the clip ends with it.',
    ]);
  });

  it('says once, and whole, what a window lacks that begins before the first picture', async () => {
    const recordingId = await record(2, 'recording');
    await role.services.recordings.update(recordingId, (r) => ({ ...r, leadInMs: 300 }));
    const { id } = await trigger(recordingId, { atMs: 2000, beforeMs: 6000, afterMs: 500 });
    // Said at once, of what is known then; the lead-in comes later.
    expect((await role.services.highlights.get(id)).warnings).toHaveLength(1);
    await run(id);
    const { window, warnings } = await role.services.highlights.get(id);
    expect(window.startMs).toBe(source.originMs + 300);
    expect(warnings).toEqual([
      'The recording starts 4300 ms after the window: the clip starts with it.',
    ]);
  });

  it('fails with its reason when nothing was recorded in the window', async () => {
    const recordingId = await record(1, 'recording');
    const { id } = await trigger(recordingId, { atMs: 3000, beforeMs: 1000, afterMs: 1000 });
    await role.services.recordings.update(recordingId, (recording) => ({
      ...recording,
      state: 'failed',
    }));
    await run(id);
    const { state, reason, warnings } = await role.services.highlights.get(id);
    expect({ state, reason }).toEqual({ state: 'failed', reason: 'clip-window-empty' });
    expect(warnings.at(-1)).toMatch(/^Nothing was recorded in the window: asked for 2025-/);
  });

  it('finishes what an interrupted run began, and cuts the same window', async () => {
    const recordingId = await record(SEGMENTS, 'recording');
    const { id } = await trigger(recordingId, { atMs: 5000, beforeMs: 3000, afterMs: 1000 });
    const abort = new AbortController();
    const { store } = role.services;
    const openStream = vi.spyOn(store, 'openStream').mockImplementationOnce((key) => {
      abort.abort(new Error('The worker is shutting down'));
      return Promise.reject(new Error(`interrupted while reading ${key}`));
    });
    await expect(run(id, abort.signal)).rejects.toThrow('shutting down');
    openStream.mockRestore();
    expect((await role.services.highlights.get(id)).state).toBe('assembling');
    await run(id);
    expect((await role.services.highlights.get(id)).state).toBe('completed');
    expect(await countersOf(id)).toEqual(Array.from({ length: 120 }, (_, i) => 60 + i));
  });

  it('never replaces a file that is there', async () => {
    const recordingId = await record(SEGMENTS, 'recording');
    const { id } = await trigger(recordingId, { atMs: 5000, beforeMs: 3000, afterMs: 1000 });
    await role.services.store.putOnce(objectKeys.clipMp4(id), Buffer.from('the first'));
    await run(id);
    const { clip } = await role.services.highlights.get(id);
    expect(clip?.mp4.length).toBe(9);
    const kept = await role.services.store.read(objectKeys.clipMp4(id));
    expect(kept.toString()).toBe('the first');
  });

  it('makes one clip when two workers hold the job', async () => {
    const recordingId = await record(SEGMENTS, 'recording');
    const { id } = await trigger(recordingId, { atMs: 5000, beforeMs: 3000, afterMs: 1000 });
    await Promise.all([run(id), run(id)]);
    const { state, clip, warnings } = await role.services.highlights.get(id);
    const stored = await role.services.store.find(objectKeys.clipMp4(id));
    expect({ state, warnings }).toEqual({ state: 'completed', warnings: [] });
    expect(clip?.mp4.length).toBe(stored?.length);
  });

  it('tries again when the store fails for a moment', async () => {
    const recordingId = await record(SEGMENTS, 'recording');
    const { id } = await trigger(recordingId, { atMs: 5000, beforeMs: 3000, afterMs: 1000 });
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const { store } = role.services;
    const putOnce = vi.spyOn(store, 'putOnce').mockRejectedValueOnce(full);
    await run(id);
    putOnce.mockRestore();
    expect((await role.services.highlights.get(id)).state).toBe('completed');
  });

  it('makes a clip of what is there when the rest does not come, and says so', async () => {
    const recordingId = await record(2, 'recording');
    const { id } = await trigger(recordingId, { atMs: 3000, beforeMs: 1000, afterMs: 1000 });
    let nowMs = source.originMs + 4000;
    const clock = { ...systemClock, nowMs: () => (nowMs += 61_000) };
    await processHighlight(id, parts(clock), never);
    const { state, warnings } = await role.services.highlights.get(id);
    expect({ state, warnings }).toEqual({
      state: 'completed',
      warnings: [
        'The end of the window did not arrive within 120 s.',
        'The recording ends 800 ms before the window: the clip ends with it.',
      ],
    });
  });

  it('leaves nothing behind for a highlight that is deleted meanwhile', async () => {
    const recordingId = await record(SEGMENTS, 'recording');
    const { id } = await trigger(recordingId, { atMs: 3000, beforeMs: 1000, afterMs: 1000 });
    const { store, highlights } = role.services;
    const put = store.putOnce.bind(store);
    const putOnce = vi.spyOn(store, 'putOnce').mockImplementation(async (key, body) => {
      await highlights.delete(id);
      await put(key, body);
    });
    await run(id);
    expect(putOnce).toHaveBeenCalledTimes(2);
    putOnce.mockRestore();
    const left: string[] = [];
    for await (const { key } of store.list(objectKeys.highlightFolder(id))) left.push(key);
    expect(left).toEqual([]);
  });

  it('puts a clip off while the disk is full, says so, and makes it when there is room', async () => {
    const recordingId = await record(SEGMENTS, 'recording');
    const { id } = await trigger(recordingId, { atMs: 5000, beforeMs: 3000, afterMs: 1000 });
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const { store, highlights } = role.services;
    const put = store.putOnce.bind(store);
    const isClip = (key: string): boolean => key === objectKeys.clipMp4(id);
    const putOnce = vi
      .spyOn(store, 'putOnce')
      .mockImplementation((key, body) => (isClip(key) ? Promise.reject(full) : put(key, body)));
    const answer = await run(id);
    putOnce.mockRestore();
    expect(answer?.retryAfterMs).toBeGreaterThan(0);
    // The playlist clip needs nothing of this: the record still has its window.
    expect(await highlights.get(id)).toMatchObject({
      state: 'assembling',
      reason: 'storage-full',
      window: { startMs: source.originMs + 2000, endMs: source.originMs + 6000 },
    });
    expect(await readdir(path.join(folder, 'clips'))).toEqual([]);
    expect(await run(id)).toBeUndefined();
    expect(await highlights.get(id)).toMatchObject({ state: 'completed', reason: null });
    expect(await countersOf(id)).toEqual(Array.from({ length: 120 }, (_, i) => 60 + i));
  });

  it('keeps whole segments, and encodes nothing, where that is precise enough', async () => {
    const recordingId = await record(SEGMENTS, 'recording');
    const wish = { atMs: source.originMs + 4000, beforeMs: 2000, afterMs: 500 };
    const request = { ...wish, precision: 'segment' } as const;
    const { highlight } = await role.services.requestHighlight(recordingId, request, 'api');
    await run(highlight.id);
    const { clip, window, warnings } = await role.services.highlights.get(highlight.id);
    expect(window).toEqual({ startMs: source.originMs + 2000, endMs: source.originMs + 4500 });
    expect(clip?.mp4.durationMs).toBe(3200);
    expect(warnings).toEqual([
      'The clip starts 400 ms before the window, with its segment.',
      'The clip ends 300 ms after the window, with its segment.',
    ]);
    expect(await countersOf(highlight.id)).toEqual(Array.from({ length: 96 }, (_, i) => 48 + i));
  });

  it('gives the same bytes whether it was prepared while segments came or cut afterwards', async () => {
    const live = await record(2, 'recording');
    const { id } = await trigger(live, { atMs: 5000, beforeMs: 3000, afterMs: 1000 });
    const job = run(id);
    const { segments } = role.services;
    for (const segment of source.segments.slice(2)) {
      const reads = vi.spyOn(segments, 'readNumbers');
      await vi.waitUntil(() => reads.mock.calls.length > 1, { timeout: 10_000 });
      reads.mockRestore();
      await publish(role.services, live, { segments: [segment] });
    }
    await job;
    const whole = await record(SEGMENTS, 'recording');
    const again = await trigger(whole, { atMs: 5000, beforeMs: 3000, afterMs: 1000 });
    await run(again.id);
    const { store } = role.services;
    const [one, two] = [
      await store.read(objectKeys.clipMp4(id)),
      await store.read(objectKeys.clipMp4(again.id)),
    ];
    expect(one.equals(two)).toBe(true);
  });
});
