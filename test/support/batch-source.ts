import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { hashSegmentCodec } from '../../src/media/mpegts/codec-hash.ts';
import type { Recording } from '../../src/model/recording.ts';
import type { SegmentEntry } from '../../src/model/segment.ts';
import { objectKeys } from '../../src/storage/keys.ts';
import type { ObjectStore } from '../../src/storage/objects/object-store.ts';
import { MemoryStore } from './memory-store.ts';
import { SAMPLE_ORIGIN_MS, sampleEntry, sampleRecording } from './sample-records.ts';
import { writeSyntheticRecording, type SyntheticRecordingOptions } from './synthetic-recording.ts';

/** A finished recording in a store in memory, as the batch finds it. */
export type BatchSource = {
  readonly store: ObjectStore;
  readonly recording: Recording;
  /** By number. */
  readonly entries: readonly SegmentEntry[];
};

/** Makes a recording of a test pattern (640×360) and a tone, in `folder`, and puts it into a store. */
export async function makeBatchSource(
  folder: string,
  options: SyntheticRecordingOptions,
): Promise<BatchSource> {
  await writeSyntheticRecording(folder, options);
  const store = new MemoryStore();
  const recording = sampleRecording({ state: 'completed', originMs: SAMPLE_ORIGIN_MS });
  const settings = { ...recording.settings, width: 640, height: 360, fps: options.fps ?? 30 };
  const entries: SegmentEntry[] = [];
  for (let n = 0; n < options.segments; n += 1) {
    if (options.holes?.includes(n) === true) continue;
    const bytes = await readFile(path.join(folder, `${String(n).padStart(5, '0')}.ts`));
    const object = objectKeys.segment(recording.id, { n, lane: 0, epoch: 1 });
    await store.put(object, bytes);
    const place = { object, offset: 0, length: bytes.length };
    entries.push(sampleEntry(n, { place, codecHash: hashSegmentCodec(bytes) ?? '' }));
  }
  return { store, recording: { ...recording, settings }, entries };
}
