import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeSettings } from '../../../src/batch/chunk/encode-chunk.ts';
import { prepareInput } from '../../../src/batch/chunk/encode-input.ts';
import { encodePictures } from '../../../src/batch/chunk/encode-pictures.ts';
import { planSettings } from '../../../src/batch/settings/plan-settings.ts';
import { Resources } from '../../../src/lifecycle.ts';
import type { Chunk } from '../../../src/model/reencode.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { makeBatchSource, type BatchSource } from '../../support/batch-source.ts';
import { collect } from '../../support/collect.ts';
import { testProfile } from '../../support/reencode.ts';
import { SLOT_PATTERNS } from '../../support/synthetic-recording.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

/** Of the target: samples must be better by 0.3 dB, and are the whole of so short a recording. */
const TARGET = { ssimDb: 21, worstFrameDb: 10 };

describe('what a recording is encoded with', () => {
  const resources = new Resources();
  let folder = '';
  let source: BatchSource;

  beforeAll(async () => {
    folder = resources.use(await makeTempFolder('settings')).path;
    const options = { segments: 2, slots: SLOT_PATTERNS.uneven };
    source = await makeBatchSource(path.join(folder, 'recording'), options);
  });
  afterAll(() => resources.close());

  it('is the highest CRF that meets the target, found once and remembered', async () => {
    const profile = testProfile({ video: { quality: TARGET } });
    const chunks: Chunk[] = [{ index: 0, segments: source.entries }];
    const options = { ...source, profile, folder, concurrency: 1 };
    const { choice, chunks: settings } = await planSettings(chunks, options);
    expect(choice?.isMet).toBe(true);
    const crf = choice?.crf ?? NaN;
    expect(settings).toEqual([{ crf, gopSegments: 2 }]);
    const missed = choice?.probes.filter((probe) => probe.crf > crf) ?? [];
    expect(missed.map((probe) => probe.crf)).toContain(crf + 1);
    for (const { ssimDb, worstFrameDb } of missed) {
      expect(ssimDb < 21.3 || worstFrameDb < 10.3).toBe(true);
    }
    const key = objectKeys.archiveProbes(source.recording.id);
    const kept = await collect(source.store.list(key));
    expect(kept).toHaveLength(choice?.probes.length ?? NaN);
    const again = await planSettings(chunks, options);
    expect(again.choice).toEqual(choice);
    const after = await collect(source.store.list(key));
    expect(after.map(({ modifiedAtMs }) => modifiedAtMs)).toEqual(
      kept.map(({ modifiedAtMs }) => modifiedAtMs),
    );
  });

  it('makes a chunk byte for byte what it would be in the whole, given what follows it', async () => {
    // A preset that looks ahead, on which the last pictures of a chunk depend.
    const profile = testProfile({ video: { preset: 'veryfast', gopSegments: 1 } });
    const settings = encodeSettings({ ...source, profile, settings: { crf: 26 } });
    const [first, second] = source.entries;
    if (first === undefined || second === undefined) throw new Error('Expected two segments');
    const encode = async (name: string, segments: typeof source.entries, leadOut = false) => {
      const input = await prepareInput(segments, {
        ...{ store: source.store, originMs: source.recording.originMs ?? 0 },
        file: path.join(folder, `${name}.mp4`),
        ...(leadOut ? { leadOut: [second] } : {}),
      });
      return (await encodePictures(input, settings)).pictures;
    };
    const whole = await encode('whole', [first, second]);
    const part = await encode('part', [first], true);
    const alone = await encode('alone', [first]);
    const same = whole.slice(0, part.length);
    expect(part.length).toBe(SLOT_PATTERNS.uneven.length);
    expect(part.map(({ data }) => data)).toEqual(same.map(({ data }) => data));
    expect(alone.map(({ data }) => data)).not.toEqual(same.map(({ data }) => data));
  });
});
