import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeMediaPlaylist } from '../../../src/media/playlist.ts';
import { boundaryAtOrBefore, SEGMENT_MS } from '../../../src/model/grid.ts';
import type { SegmentEntry } from '../../../src/model/segment.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import type { Recording } from '../../../src/model/recording.ts';
import { planFinalPlaylist } from '../../../src/storage/recording-playlist.ts';
import { sampleEntry, sampleRecording } from '../../support/sample-records.ts';
import type { TestServices } from '../../support/test-services.ts';
import { restamp, type Captured } from './material.ts';

/** A recording that is over, of captured segments repeated on the grid. */
export type Lesson = {
  readonly id: string;
  readonly originMs: number;
  readonly entries: readonly SegmentEntry[];
  /** A playlist of it on disk, for other programs. */
  readonly playlist: string;
};

/** Objects written at once. */
const BATCH = 16;

/** Stores and indexes the whole lesson. */
export async function storeLesson(
  services: TestServices,
  captured: Captured,
  segments: number,
): Promise<Lesson> {
  const id = 'lesson';
  const originMs = boundaryAtOrBefore(Date.now()) - (segments + 10) * SEGMENT_MS;
  await addRecording(services, { id, originMs, state: 'completed' });
  const entries: SegmentEntry[] = [];
  for (let first = 0; first < segments; first += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, segments - first) }, (_, i) => first + i);
    entries.push(
      ...(await Promise.all(
        numbers.map((n) => storeSegment(services, id, n, restamp(captured, n))),
      )),
    );
  }
  for (const entry of entries) await services.segments.append(id, entry);
  const plan = planFinalPlaylist(entries, { originMs });
  if (plan === undefined) throw new Error('nothing to play');
  const playlist = path.join(
    services.dataDir,
    'storage',
    objectKeys.recordingFolder(id),
    'local.m3u8',
  );
  await writeFile(playlist, writeMediaPlaylist(plan));
  return { id, originMs, entries, playlist };
}

export async function addRecording(
  { recordings }: TestServices,
  change: Pick<Recording, 'id' | 'originMs' | 'state'>,
): Promise<void> {
  await recordings.create(sampleRecording({ leadInMs: 0, ...change }));
}

/** Makes a segment durable; it is not indexed yet. */
export async function storeSegment(
  { store }: TestServices,
  id: string,
  n: number,
  bytes: Buffer,
): Promise<SegmentEntry> {
  const object = objectKeys.segment(id, { n, lane: 0, epoch: 1 });
  await store.putOnce(object, bytes);
  const place = { object, offset: 0, length: bytes.length };
  return sampleEntry(n, { place, publishedAtMs: Date.now() });
}
