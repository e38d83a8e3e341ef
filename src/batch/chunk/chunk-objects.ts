import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ChalkreelError } from '../../errors.ts';
import type { ChunkResult } from '../../model/reencode.ts';
import { objectKeys } from '../../storage/keys.ts';
import type { ObjectStore } from '../../storage/objects/object-store.ts';
import type { EncodedPictures } from './encode-pictures.ts';

const TABLES_VERSION = 1;

/** What is known of a chunk's media: everything but the bytes. */
const tablesSchema = z.object({
  version: z.literal(TABLES_VERSION),
  format: z.enum(['avc1', 'hvc1', 'av01']),
  /** The codec's configuration box, base64. */
  config: z.string(),
  width: z.number(),
  height: z.number(),
  firstN: z.number(),
  segments: z.number(),
  gopSegments: z.number(),
  crf: z.number(),
  /** Of each picture, in decoding order: bytes, and ticks from the chunk's start. */
  sizes: z.array(z.number()),
  pts: z.array(z.number()),
  /** Indices of IDR pictures. */
  keys: z.array(z.number()),
  /** Of the media, hex. */
  sha256: z.string(),
  encoder: z.string(),
});
export type ChunkTables = z.infer<typeof tablesSchema>;

/** Keys of a chunk's two objects; each profile has its own, so that whoever is through with it may clear them away. */
export function chunkKeys(
  recordingId: string,
  profileName: string,
  name: string,
): { readonly media: string; readonly tables: string } {
  const prefix = objectKeys.archiveChunks(recordingId, profileName) + name;
  return { media: `${prefix}.bin`, tables: `${prefix}.json` };
}

/** The tables of a chunk that is done; undefined when it is not. */
export async function findChunk(
  store: ObjectStore,
  tables: string,
): Promise<ChunkTables | undefined> {
  if ((await store.find(tables)) === undefined) return undefined;
  return readChunk(store, tables);
}

/** The tables of a chunk. Throws `object-not-found`, and `chunk-damaged` for what we did not write. */
export async function readChunk(store: ObjectStore, tables: string): Promise<ChunkTables> {
  const text = (await store.read(tables)).toString('utf8');
  const parsed = tablesSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new ChalkreelError('chunk-damaged', `Object ${tables} is not the tables of a chunk`, {
    cause: parsed.error,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Stores a chunk: media first, then the tables that say it is done. May be repeated, and by several at once: equal names are equal bytes. */
export async function storeChunk(
  store: ObjectStore,
  keys: { readonly media: string; readonly tables: string },
  chunk: EncodedPictures &
    Pick<ChunkTables, 'firstN' | 'segments' | 'gopSegments' | 'crf' | 'encoder'>,
): Promise<ChunkTables> {
  const { track, pictures, firstN, segments, gopSegments, crf, encoder } = chunk;
  const media = Buffer.concat(pictures.map(({ data }) => data));
  const tables: ChunkTables = {
    version: TABLES_VERSION,
    format: track.format,
    config: Buffer.from(track.config).toString('base64'),
    ...{ width: track.width, height: track.height, firstN, segments, gopSegments, crf, encoder },
    sizes: pictures.map(({ data }) => data.length),
    pts: pictures.map(({ pts90k }) => pts90k),
    keys: pictures.flatMap(({ isKey }, i) => (isKey ? [i] : [])),
    sha256: createHash('sha256').update(media).digest('hex'),
  };
  await store.put(keys.media, media);
  await store.put(keys.tables, Buffer.from(JSON.stringify(tables)));
  return tables;
}

/** A chunk's result, small enough to be a job's return value. */
export function toResult(
  tables: ChunkTables,
  rest: Pick<ChunkResult, 'index' | 'name' | 'media' | 'tables' | 'wasThere' | 'tookMs'>,
): ChunkResult {
  return {
    ...rest,
    pictures: tables.sizes.length,
    bytes: tables.sizes.reduce((sum, bytes) => sum + bytes, 0),
    firstN: tables.firstN,
    segments: tables.segments,
    encoder: tables.encoder,
  };
}
