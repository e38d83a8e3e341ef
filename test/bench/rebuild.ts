import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { boundaryAtOrBefore } from '../../src/model/grid.ts';
import type { Recording } from '../../src/model/recording.ts';
import { findGeneration } from '../../src/storage/rebuild/generation.ts';
import { serializeJournal } from '../../src/storage/index/journal.ts';
import { JOURNAL_SEGMENTS } from '../../src/storage/index/journal-plan.ts';
import { objectKeys } from '../../src/storage/keys.ts';
import { sampleEntry, sampleRecording } from '../support/sample-records.ts';
import { openTestServices, type TestServices } from '../support/test-services.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './runner.ts';

const OPEN = 100;
const FINISHED = 2000;
/** Of an hour. */
const SEGMENTS = 2250;
const ROUNDS = 3;
const BACK_MS = 120_000;

/** How long Redis takes to be whole again after FLUSHALL: what is open, and everything. */
export const rebuildBench: Scenario = {
  about: `seconds until Redis is back after FLUSHALL, with ${OPEN} open and ${FINISHED} finished recordings`,
  run: async () => {
    const services = await openTestServices();
    try {
      for (let i = 0; i < OPEN + FINISHED; i += 1) await store(services, i);
      const samples = { open: [] as number[], all: [] as number[] };
      for (let round = 0; round < ROUNDS; round += 1) {
        const emptiedAt = performance.now();
        await services.redis.client.flushall();
        const find = (): ReturnType<typeof findGeneration> => findGeneration(services.redis.client);
        await waitUntil('what is open', async () => (await find()) !== undefined, BACK_MS);
        samples.open.push((performance.now() - emptiedAt) / 1000);
        await waitUntil('everything', async () => (await find())?.isComplete, BACK_MS);
        samples.all.push((performance.now() - emptiedAt) / 1000);
      }
      const rows: Measurement[] = [
        { name: 'open-back', unit: 's', samples: samples.open, bound: { is: '<=', value: 10 } },
        { name: 'all-back', unit: 's', samples: samples.all },
      ];
      return rows;
    } finally {
      await services.close();
    }
  },
};

/** As a worker has left it in the store: of an open one half a journal's segments are newer than the last journal. */
async function store({ dataDir }: TestServices, i: number): Promise<void> {
  const id = `01KA${String(i).padStart(22, '0')}`;
  const isOpen = i < OPEN;
  const put = async (key: string, body: string | Uint8Array): Promise<void> => {
    const file = path.join(dataDir, 'storage', key);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, body);
  };
  const state: Recording['state'] = isOpen ? 'recording' : 'completed';
  const recording = sampleRecording({ id, state, originMs: boundaryAtOrBefore(Date.now()) });
  await put(objectKeys.recording(id), JSON.stringify(recording));
  const entries = Array.from({ length: isOpen ? JOURNAL_SEGMENTS : SEGMENTS }, (_, n) => ({
    ...sampleEntry(n),
    place: { object: objectKeys.segment(id, { n, lane: 0, epoch: 1 }), offset: 0, length: 188 },
  }));
  const last = entries.length - 1;
  const journal = { version: 1, from: 0, last, entries, epochs: { 0: 1 }, aside: [] } as const;
  await put(
    objectKeys.journal(id, { seq: 0, from: 0 }),
    serializeJournal({ ...journal, writtenAtMs: 0 }),
  );
  if (!isOpen) return;
  await put(objectKeys.openRecording(id), '');
  for (let n = last + 1; n < last + JOURNAL_SEGMENTS / 2; n += 1) {
    await put(objectKeys.segment(id, { n, lane: 0, epoch: 1 }), new Uint8Array(188));
  }
}
