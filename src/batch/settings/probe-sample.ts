import { createHash, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Log } from '../../log.ts';
import { SEGMENT_TICKS } from '../../model/grid.ts';
import type { Recording } from '../../model/recording.ts';
import type { ChunkSegment } from '../../model/reencode.ts';
import { objectKeys } from '../../storage/keys.ts';
import type { ObjectStore } from '../../storage/objects/object-store.ts';
import { encodeArgs, type EncodeSettings } from '../chunk/encode-command.ts';
import { prepareInput, type EncodeInput } from '../chunk/encode-input.ts';
import { BATCH_NICENESS, encodePictures, writePicturesMp4 } from '../chunk/encode-pictures.ts';
import { identifyEncoder } from '../chunk/encoder-identity.ts';
import { comparePictures } from '../proof/quality.ts';
import { summarizeQuality } from '../proof/quality-summary.ts';
import type { SampleProbe } from './choose-crf.ts';

/** Changes when the same sample would be judged otherwise. */
const PROBE_VERSION = 1;

const probeSchema = z.object({
  pictures: z.number(),
  ssimY: z.number(),
  worstFrameDb: z.number(),
  bytes: z.number(),
}) satisfies z.ZodType<SampleProbe>;

export type ProbeSampleOptions = {
  readonly store: ObjectStore;
  readonly recording: Pick<Recording, 'id' | 'originMs'>;
  /** Path of an ffmpeg of one's own. */
  readonly ffmpeg: string | undefined;
  /** For files that are gone when the sample is closed. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
};

/** Some segments of a recording on which settings are tried. Close it: its files are as large as they are. */
export class SampleSource {
  readonly #segments: readonly ChunkSegment[];
  readonly #options: ProbeSampleOptions;
  readonly #file: string;
  #input: Promise<EncodeInput> | undefined;

  constructor(segments: readonly ChunkSegment[], options: ProbeSampleOptions) {
    this.#segments = segments;
    this.#options = options;
    this.#file = path.join(options.folder, `sample-${randomUUID().slice(0, 8)}.mp4`);
  }

  /**
   * Encodes the sample and compares it with its source, or finds in the store what came of it before. Errors as of `prepareInput`,
   * `encodePictures` and `measureQuality`; the signal's reason when aborted.
   */
  async probe(settings: EncodeSettings): Promise<SampleProbe> {
    const { store, recording, ffmpeg } = this.#options;
    const encoder = await identifyEncoder(settings.video.codec, ffmpeg);
    const key = objectKeys.archiveProbes(recording.id) + `${this.#name(settings, encoder)}.json`;
    const known = await findProbe(store, key);
    if (known !== undefined) return known;
    const probe = await this.#encodeAndCompare(settings);
    await store.put(key, Buffer.from(JSON.stringify(probe)));
    return probe;
  }

  close(): Promise<void> {
    return rm(this.#file, { force: true });
  }

  /** As a chunk's: 40 hex digits of input, command line and encoder. */
  #name(settings: EncodeSettings, encoder: string): string {
    const input = { file: 'input', segments: this.#segments.length, hasLeadOut: false };
    const hash = createHash('sha256').update(`probe ${PROBE_VERSION} ${encoder}\n`);
    hash.update(JSON.stringify(encodeArgs(input, settings)));
    for (const { n, place } of this.#segments) {
      hash.update(`\n${n} ${place.object} ${place.offset} ${place.length}`);
    }
    return hash.digest('hex').slice(0, 40);
  }

  async #encodeAndCompare(settings: EncodeSettings): Promise<SampleProbe> {
    const { ffmpeg, signal, log } = this.#options;
    const input = await this.#open();
    const encoded = await encodePictures(input, settings, { ffmpeg, signal, log });
    const result = `${this.#file}.crf-${settings.crf}.mp4`;
    try {
      await writePicturesMp4(encoded, {
        file: result,
        endTicks: this.#segments.length * SEGMENT_TICKS,
      });
      const run = { program: ffmpeg, niceness: BATCH_NICENESS, signal, log };
      const pictures = await comparePictures(input.file, result, { ...run, threads: 1 });
      const { worstFrameDb } = summarizeQuality(pictures);
      const ssimY = pictures.reduce((sum, picture) => sum + picture.ssimY, 0) / pictures.length;
      return { pictures: pictures.length, ssimY, worstFrameDb, bytes: encoded.bytes };
    } finally {
      await rm(result, { force: true });
    }
  }

  #open(): Promise<EncodeInput> {
    const { store, recording, signal } = this.#options;
    const originMs = recording.originMs ?? 0;
    this.#input ??= prepareInput(this.#segments, { store, originMs, file: this.#file, signal });
    return this.#input;
  }
}

/** What was tried before; what is not what we write is tried again. */
async function findProbe(store: ObjectStore, key: string): Promise<SampleProbe | undefined> {
  if ((await store.find(key)) === undefined) return undefined;
  const text = (await store.read(key)).toString('utf8');
  try {
    return probeSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
