import { cpus } from 'node:os';
import path from 'node:path';
import { encodeSettings } from '../../../src/batch/chunk/encode-chunk.ts';
import type { EncodeSettings } from '../../../src/batch/chunk/encode-command.ts';
import { prepareInput, type EncodeInput } from '../../../src/batch/chunk/encode-input.ts';
import { planChunks } from '../../../src/batch/chunk/chunk-plan.ts';
import { SEGMENT_MS } from '../../../src/model/grid.ts';
import type { Chunk, ReencodeProfile } from '../../../src/model/reencode.ts';
import { reencodeProfileSchema } from '../../../src/protocol/reencode.ts';
import { sampleRecording } from '../../support/sample-records.ts';
import type { TestServices } from '../../support/test-services.ts';
import type { Material } from './material.ts';
import { storeRecording, type StoredRecording } from './stored.ts';

/** Encoders at once: one a core. */
export const CORES = cpus().length;

/** What both are encoded with, so that only the way differs: 720p AVC, a CRF that does not depend on samples, GOPs of 3.2 s throughout. */
export const FIXED_PROFILE: ReencodeProfile = reencodeProfileSchema.parse({
  name: 'bench',
  video: {
    codec: 'avc',
    height: 720,
    crf: 25,
    gopSegments: 2,
    maxGopSegments: 2,
    // Nothing here is about the target: no proof shall fail for it.
    quality: { ssimDb: 5, worstFrameDb: 3 },
  },
  outputs: ['mp4'],
});

/** A recording in the store, its chunks, and the whole of it as one file for programs of others. */
export type Whole = {
  readonly stored: StoredRecording;
  readonly chunks: readonly Chunk[];
  readonly input: EncodeInput;
  readonly settings: EncodeSettings;
  /** Where chunks begin, ms from the first picture, the first chunk's start left out. */
  readonly seamsMs: readonly number[];
};

/** Lays a material out for encoding it as a whole. */
export async function openWhole(
  services: TestServices,
  material: Material,
  options: { readonly folder: string; readonly profile: ReencodeProfile },
): Promise<Whole> {
  const { folder, profile } = options;
  const id = path.basename(material.folder);
  const stored = await storeRecording(services, id, material);
  const file = path.join(folder, `${id}.mp4`);
  const { originMs } = stored;
  const input = await prepareInput(stored.entries, { store: services.store, originMs, file });
  const chunks = planChunks(stored.entries, profile);
  const recording = sampleRecording({ id, originMs });
  const settings = encodeSettings({
    profile,
    recording,
    settings: { crf: profile.video?.crf ?? 0, gopSegments: profile.video?.gopSegments },
  });
  const seamsMs = chunks.slice(1).map(({ segments }) => (segments[0]?.n ?? 0) * SEGMENT_MS);
  return { stored, chunks, input, settings, seamsMs };
}
