import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EntryCache } from '../../../src/api/entry-cache.ts';
import { PlaylistCache } from '../../../src/api/playlist-cache.ts';
import { systemClock } from '../../../src/clock.ts';
import { boundaryAtOrBefore, SEGMENT_MS } from '../../../src/model/grid.ts';
import type { Recording } from '../../../src/model/recording.ts';
import type { SegmentEntry } from '../../../src/model/segment.ts';
import { findGeneration } from '../../../src/storage/generation.ts';
import { OVERDUE_MS } from '../../../src/storage/segment-index.ts';
import { histories, HistoryPlayer } from '../../support/recording-history.ts';
import { sampleRecording } from '../../support/sample-records.ts';
import { openTestServices, type TestServices } from '../../support/test-services.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** The bound for what is open. */
const REBUILT_MS = 10_000;
/** Nothing is overdue: the recording began just now. */
const originMs = boundaryAtOrBefore(Date.now());

let services: TestServices;
beforeAll(async () => {
  services = await openTestServices();
});
afterAll(() => services.close());

let count = 0;
async function addRecording(change: Partial<Recording> = {}): Promise<Recording> {
  const id = `rebuilt-${String(count++).padStart(4, '0')}`;
  const recording = sampleRecording({ id, state: 'recording', originMs, ...change });
  await services.recordings.create(recording);
  return recording;
}

/** Empties Redis, and waits until what is open is back. */
async function loseRedis(): Promise<void> {
  await services.redis.client.flushall();
  await expect(services.recordings.find('anything')).rejects.toMatchObject({ code: 'rebuilding' });
  await waitUntil(
    'Redis is whole again',
    async () => (await findGeneration(services.redis.client)) !== undefined,
    REBUILT_MS,
  );
}

/** What the api shows of a recording. */
class Viewer {
  readonly #entries = new EntryCache(services.segments);
  readonly #playlists = new PlaylistCache({
    entries: this.#entries,
    index: services.segments,
    clock: systemClock,
  });

  async see(recording: Recording, extent: 'whole' | 'window'): Promise<string> {
    const playlist = await this.#playlists.findServed(recording);
    const pieces = playlist?.write({ extent, isDelta: false, ended: false }).pieces ?? [];
    return Buffer.concat(pieces).toString();
  }

  async seeFinal(recording: Recording): Promise<string> {
    const playlist = await this.#playlists.findFinal(recording);
    const form = { extent: 'whole', isDelta: false, ended: true } as const;
    return Buffer.concat(playlist?.write(form).pieces ?? []).toString();
  }
}

const made = (entries: readonly SegmentEntry[]): unknown[] =>
  // When it was published is known from the object: near enough, and in no playlist.
  entries.map(({ publishedAtMs: _, ...entry }) => entry);

describe('after FLUSHALL', () => {
  it('every history of a recording is served as it was: same places, same holes, same names', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const recording = await addRecording();
        const { id } = recording;
        const { segments } = services;
        const player = new HistoryPlayer({
          services,
          recordingId: id,
          // As if the last number had just become overdue.
          settle: (last) =>
            segments.settle(id, {
              originMs: Math.round(Date.now() - OVERDUE_MS - (last + 1) * SEGMENT_MS),
            }),
        });
        for (const step of steps) await player.play(step);
        const warm = new Viewer();
        const before = {
          inOrder: await segments.read(id),
          aside: await segments.readAside(id),
          whole: await warm.see(recording, 'whole'),
          window: await warm.see(recording, 'window'),
          all: await segments.readAll(id),
        };

        await loseRedis();

        const after = await segments.read(id);
        expect(made(after.slice(0, before.inOrder.length))).toEqual(made(before.inOrder));
        const cold = new Viewer();
        const [whole, again] = [
          await cold.see(recording, 'whole'),
          await warm.see(recording, 'whole'),
        ];
        // What was killed between storing and listing is found, and may only be added.
        expect(whole.startsWith(before.whole)).toBe(true);
        expect(again).toBe(whole);
        expect(await warm.see(recording, 'window')).toBe(await cold.see(recording, 'window'));
        const names = new Set((await segments.readAll(id)).map(({ place }) => place.object));
        expect(before.all.filter(({ place }) => !names.has(place.object))).toEqual([]);
        // It goes on.
        const next = await player.publish(player.next + 9, 0);
        expect(next).toMatchObject({ appended: true });
        await services.recordings.update(id, (r) => ({ ...r, state: 'completed' }));
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});
