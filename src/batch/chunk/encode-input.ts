import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ChalkreelError } from '../../errors.ts';
import type { ChunkSegment } from '../../model/reencode.ts';
import type { ObjectStore } from '../../storage/objects/object-store.ts';
import { planRecordingMp4 } from '../../storage/recording-mp4.ts';
import { pictureTimes, readContents, type SegmentContent } from './source-pictures.ts';

/** Segments as an encoder is given them. */
export type EncodeInput = {
  /** An MP4 whose picture times are exact, from 0 on; its sound is there but not used. */
  readonly file: string;
  /** Times of all pictures, ticks of 90 kHz from the first segment's start. */
  readonly pts: readonly number[];
  /** Contiguous segments. */
  readonly segments: number;
  /** Whether pictures that are not to be kept follow those in `pts`. */
  readonly hasLeadOut: boolean;
};

/** Writes contiguous segments as one MP4 and reads which pictures they have. Throws `object-not-found`, `chunk-without-pictures`. */
export async function prepareInput(
  segments: readonly ChunkSegment[],
  options: {
    readonly store: ObjectStore;
    readonly originMs: number;
    readonly file: string;
    /** What follows the segments, for the encoder to look ahead. */
    readonly leadOut?: readonly ChunkSegment[] | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<EncodeInput> {
  const { store, originMs, file, signal, leadOut = [] } = options;
  const contents: SegmentContent[] = [];
  for await (const content of readContents(store, segments)) contents.push(content);
  const pts = pictureTimes(contents, segments[0]?.n ?? 0);
  if (pts.length === 0) {
    throw new ChalkreelError(
      'chunk-without-pictures',
      `Expected pictures in segments ${segments[0]?.n} to ${segments.at(-1)?.n}, got sound alone: use a profile of sound alone.`,
      { fault: 'input', details: { field: 'profiles' } },
    );
  }
  const mp4 = await planRecordingMp4([...segments, ...leadOut], { store, originMs });
  const source = Readable.from(mp4.read(0, mp4.length), { objectMode: false });
  await pipeline(source, createWriteStream(file), ...(signal === undefined ? [] : [{ signal }]));
  return { file, pts, segments: segments.length, hasLeadOut: leadOut.length > 0 };
}
