import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import { boundaryAtOrBefore } from '../../../src/model/grid.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import type { Summary } from '../../../src/verify/findings.ts';
import { verifyTarget } from '../../../src/verify/verify.ts';
import { openApiServer, TEST_API_KEY, type ApiServer } from '../../support/api-server.ts';
import { sampleEntry, sampleRecording } from '../../support/sample-records.ts';
import { SLOT_PATTERNS, writeSyntheticRecording } from '../../support/synthetic-recording.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

/** More than a delta update keeps (12 s), so that there is something to skip. */
const SEGMENTS = 12;
/** The api writes a hole here. */
const HOLE = 6;
const ID = 'verified';

const resources = new Resources();
let api: ApiServer;
let folder: string;
/** It began just now: nothing of it is overdue. */
const originMs = boundaryAtOrBefore(Date.now());

beforeAll(async () => {
  folder = resources.use(await makeTempFolder('served')).path;
  await writeSyntheticRecording(folder, { segments: SEGMENTS, slots: SLOT_PATTERNS.sparse });
  api = resources.use(await openApiServer());
  await api.services.recordings.create(sampleRecording({ id: ID, state: 'recording', originMs }));
});
afterAll(() => resources.close());

async function publish(n: number): Promise<void> {
  // Another owner goes on behind the hole: only then is it known to be one.
  const name = { n, lane: 0, epoch: n < HOLE ? 1 : 2 };
  const object = objectKeys.segment(ID, name);
  const bytes = await readFile(path.join(folder, `${String(n).padStart(5, '0')}.ts`));
  await api.services.store.putOnce(object, bytes);
  const place = { object, offset: 0, length: bytes.length };
  await api.services.segments.append(ID, sampleEntry(n, { ...name, place }));
}

/** Checks every playlist that the recording's links name, and the one that is had with a key. */
async function verifyLinks(): Promise<Summary[]> {
  const { body } = await api.json('GET', `/v1/recordings/${ID}`);
  // What is not there yet is null.
  const links = Object.values(body.links as Record<string, string | null>);
  const playlists = links.flatMap((link) => (link?.endsWith('.m3u8') ? [link] : []));
  expect(playlists.length).toBeGreaterThan(0);
  const withKey = `${api.url}/v1/recordings/${ID}/index.m3u8`;
  const summaries: Summary[] = [];
  for (const url of [...playlists, withKey]) {
    const bearer = url === withKey ? TEST_API_KEY : undefined;
    const { violations, summary } = await verifyTarget(url, { bearer, decode: false });
    expect({ url, violations }).toEqual({ url, violations: [] });
    summaries.push(summary);
  }
  return summaries;
}

test('finds nothing against the playlists that the api serves, live and whole, by link and by key', async () => {
  for (let n = 0; n < SEGMENTS; n += 1) if (n !== HOLE) await publish(n);
  const live = await verifyLinks();
  expect(live).toContainEqual(expect.objectContaining({ segments: SEGMENTS - 1, gaps: 1 }));
  await api.services.recordings.update(ID, (recording) => ({ ...recording, state: 'completed' }));
  const whole = await verifyLinks();
  expect(whole).toContainEqual(expect.objectContaining({ segments: SEGMENTS - 1, gaps: 1 }));
});

test('finds nothing against the playlist of a clip that begins inside a segment and goes over a hole', async () => {
  const trigger = { atMs: originMs + 12_345, beforeMs: 6_000, afterMs: 1_000 };
  const { body } = await api.json('POST', `/v1/recordings/${ID}/highlights`, trigger);
  const { playlist } = body.links as Record<string, string>;
  const { violations, summary } = await verifyTarget(playlist ?? '', { decode: false });
  expect(violations).toEqual([]);
  // From 6.345 s to 13.345 s: segments 3 to 8, of which 6 is the hole.
  expect(summary).toMatchObject({ segments: 5, gaps: 1 });
});
