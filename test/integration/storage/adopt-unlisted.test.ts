import { utimes } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLog } from '../../../src/log.ts';
import { adoptUnlisted } from '../../../src/storage/index/adopt-unlisted.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { HistoryPlayer } from '../../support/recording-history.ts';
import { sampleRecording } from '../../support/sample-records.ts';
import { openTestServices, type TestServices } from '../../support/test-services.ts';

/** Longer ago than the maker of a lane that may be taken over was heard of. */
const DEAD_MS = 5_000;

let services: TestServices;
beforeAll(async () => {
  services = await openTestServices();
});
afterAll(() => services.close());

it('lists what a maker had stored when it died, and nothing that is on its way', async () => {
  const { segments, recordings, store } = services;
  const id = 'adopted';
  await recordings.create(sampleRecording({ id, state: 'recording' }));
  const player = new HistoryPlayer({ services, recordingId: id, settle: () => Promise.resolve() });
  const publish = { do: 'publish', lane: 0, skip: 0, isKilled: false } as const;
  for (const isKilled of [false, false, true]) await player.play({ ...publish, isKilled });
  const adopt = (): Promise<number> =>
    adoptUnlisted(id, { store, segments, log: createLog('test', 'silent') });
  expect(await adopt()).toBe(0);

  const object = objectKeys.segment(id, { n: 2, lane: 0, epoch: 1 });
  const storedAt = new Date(Date.now() - DEAD_MS);
  await utimes(path.join(services.dataDir, 'storage', object), storedAt, storedAt);
  await player.play({ do: 'take-over', lane: 0 });
  expect(await adopt()).toBe(1);
  await player.publish(3, 0);
  // Without it the takeover would have given number 2 up.
  const entries = await segments.read(id);
  expect(entries.map(({ n, epoch }) => `${n}-${epoch}`)).toEqual(['0-1', '1-1', '2-1', '3-2']);
  expect(await adopt()).toBe(0);
});
