import { readFile } from 'node:fs/promises';
import { hashSegmentCodec } from '../../../src/media/mpegts/codec-hash.ts';
import { SEGMENT_MS } from '../../../src/model/grid.ts';
import type { SegmentEntry } from '../../../src/model/segment.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import type { Services } from '../../../src/queue/open-services.ts';
import { SAMPLE_ORIGIN_MS, sampleEntry, sampleRecording } from '../../support/sample-records.ts';
import type { Material } from './material.ts';

/** A recording that is over, in the store and the index as the recorder leaves it. */
export type StoredRecording = {
  readonly id: string;
  readonly originMs: number;
  readonly entries: readonly SegmentEntry[];
  /** Of the segments, bytes. */
  readonly bytes: number;
};

/** Stores captured segments as a recording of long ago: always the same one, so that equal re-encodes are equal to the byte. */
export async function storeRecording(
  { store, recordings, segments }: Services,
  id: string,
  { files }: Pick<Material, 'files'>,
): Promise<StoredRecording> {
  const originMs = SAMPLE_ORIGIN_MS;
  const endedAtMs = originMs + files.length * SEGMENT_MS;
  await recordings.create(
    sampleRecording({
      id,
      originMs,
      leadInMs: 0,
      tailPaddingMs: 0,
      state: 'completed',
      history: [{ state: 'completed', atMs: endedAtMs }],
    }),
  );
  const entries: SegmentEntry[] = [];
  for (const [n, file] of files.entries()) {
    const bytes = await readFile(file);
    const object = objectKeys.segment(id, { n, lane: 0, epoch: 1 });
    await store.putOnce(object, bytes);
    const codecHash = hashSegmentCodec(bytes);
    if (codecHash === undefined) throw new Error(`${file}: expected a segment`);
    const place = { object, offset: 0, length: bytes.length };
    const entry = sampleEntry(n, { place, codecHash, publishedAtMs: endedAtMs });
    await segments.append(id, entry);
    entries.push(entry);
  }
  const bytes = entries.reduce((sum, { place }) => sum + place.length, 0);
  return { id, originMs, entries, bytes };
}
