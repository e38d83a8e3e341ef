import { createHash } from 'node:crypto';
import { ChalkreelError } from '../errors.ts';
import { toAvcSample } from '../media/avc-sample.ts';
import { findParameterSets, type ParameterSets } from '../media/h264.ts';
import { readHeader } from '../media/mp4/read-header.ts';
import { layOutMp4, type Mp4Layout } from '../media/mp4/writer.ts';
import { allUnits, openSegment, type SegmentSource } from '../media/mpegts/segment-source.ts';
import { SILENT_AAC_FRAME } from '../media/silent-aac-frame.ts';
import { AAC_FRAMES_PER_SEGMENT, SEGMENT_MS, segmentStartMs } from '../model/grid.ts';
import type { SegmentEntry } from '../model/segment.ts';
import { readAhead } from '../read-ahead.ts';
import type { ObjectStore } from './objects/object-store.ts';
import { readPlace } from './objects/read-place.ts';
import { LEAD_FRAMES, RecordingMp4Tables } from './recording-mp4-tables.ts';

/** Changes when the same segments would give another file. */
const LAYOUT_VERSION = 1;
/** Segments whose index is asked for at once. */
const PLAN_AHEAD = 16;
/** Segments read before the client has taken those in front of them. */
const STREAM_AHEAD = 2;
/** Four bytes a sample, twice while tables grow, and a block's place. */
const BYTES_PER_SEGMENT_HELD = 1024;

/** A segment's block: its entry, undefined for a hole, and whether key pictures carry parameter sets. */
type Block = { readonly entry: Placed | undefined; readonly isInBand: boolean };

/** All that must be known of a segment. */
type Placed = Pick<SegmentEntry, 'n' | 'place' | 'codecHash'>;

/**
 * A whole recording as one fast-start MP4 that is nowhere: known to the byte by its segments' own indexes, and made from its segments as it
 * is read, any part of it. Nothing is encoded.
 */
export class RecordingMp4 {
  /** Bytes of the file. */
  readonly length: number;
  /** Equal for equal files. */
  readonly hash: string;
  /** Time in which there is no media: the last picture stays, without sound. */
  readonly missingMs: number;
  readonly #layout: Mp4Layout;
  readonly #blocks: readonly Block[];
  readonly #store: ObjectStore;

  constructor(options: {
    readonly layout: Mp4Layout;
    readonly blocks: readonly Block[];
    readonly hash: string;
    readonly store: ObjectStore;
  }) {
    this.#layout = options.layout;
    this.#blocks = options.blocks;
    this.#store = options.store;
    this.length = options.layout.length;
    this.hash = options.hash;
    const holes = options.blocks.filter(({ entry }) => entry === undefined).length;
    this.missingMs = holes * SEGMENT_MS;
  }

  /** Memory it takes, bytes, about. */
  get heldBytes(): number {
    return this.#blocks.length * BYTES_PER_SEGMENT_HELD;
  }

  /** The file's bytes from `start` to before `end`, as they are made. Throws `object-not-found`, `recording-mp4-changed`. */
  async *read(start: number, end: number): AsyncGenerator<Uint8Array, void> {
    const { header, headerBytes, blockOffsets } = this.#layout;
    yield* readHeader(header, { start, end: Math.min(end, headerBytes) });
    const [first, last] = [this.#blockAt(Math.max(start, headerBytes)), this.#blockAt(end - 1)];
    const numbers = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
    const reads = numbers.map((number) => async () => ({
      at: blockOffsets[number] ?? 0,
      bytes: await this.#readBlock(number),
    }));
    for await (const { at, bytes } of readAhead(reads, STREAM_AHEAD)) {
      const part = bytes.subarray(Math.max(0, start - at), Math.min(bytes.length, end - at));
      if (part.length > 0) yield part;
    }
  }

  /** Number of the block that holds a byte: the last one that begins at or before it; −1 in the header. */
  #blockAt(offset: number): number {
    const { blockOffsets } = this.#layout;
    let [low, high] = [0, this.#blocks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((blockOffsets[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  async #readBlock(number: number): Promise<Buffer> {
    const { blockOffsets } = this.#layout;
    const { entry, isInBand } = this.#blocks[number] ?? { entry: undefined, isInBand: false };
    const lead = Array.from({ length: number === 0 ? LEAD_FRAMES : 0 }, () => SILENT_AAC_FRAME);
    const samples = await readSamples(entry, isInBand, this.#store);
    const silent = AAC_FRAMES_PER_SEGMENT - samples.frames.length;
    const silence = Array.from({ length: silent }, () => SILENT_AAC_FRAME);
    const bytes = Buffer.concat([...samples.pictures, ...lead, ...samples.frames, ...silence]);
    const planned = (blockOffsets[number + 1] ?? 0) - (blockOffsets[number] ?? 0);
    if (bytes.length === planned) return bytes;
    throw new ChalkreelError(
      'recording-mp4-changed',
      `Segment ${entry?.n ?? 'none'}: expected ${planned} bytes of samples, as its access-unit index says, got ${bytes.length}.`,
    );
  }
}

type Samples = { readonly pictures: readonly Uint8Array[]; readonly frames: readonly Uint8Array[] };

async function readSamples(
  entry: Placed | undefined,
  isInBand: boolean,
  store: ObjectStore,
): Promise<Samples> {
  if (entry === undefined) return { pictures: [], frames: [] };
  const { length } = entry.place;
  // All of it is needed: one request.
  const whole = await readPlace(store, entry.place, { start: 0, end: length });
  const read = async (start: number, end: number): Promise<Uint8Array> =>
    Promise.resolve(whole.subarray(start, end));
  const source = await openSegment({ length, read });
  const units = await source.read(allUnits(source));
  return {
    pictures: units.pictures.map((unit, i) =>
      toAvcSample(unit, { withSets: isInBand && source.pictures[i]?.isKey === true }),
    ),
    frames: units.frames.slice(0, AAC_FRAMES_PER_SEGMENT),
  };
}

/**
 * Plans a recording's MP4 from its entries, in order of number: reads the end of each segment, where its index is. Throws `object-not-found`
 * where a segment is gone, `media-invalid`, RangeError without entries.
 */
export async function planRecordingMp4(
  entries: readonly Placed[],
  { store, originMs }: { readonly store: ObjectStore; readonly originMs: number },
): Promise<RecordingMp4> {
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('Expected an entry.');
  const tables = new RecordingMp4Tables();
  const blocks: Block[] = [];
  const knownSets = new Map<string, Promise<ParameterSets | undefined>>();
  const open = async (entry: Placed): Promise<SegmentSource> => {
    const read = (start: number, end: number): Promise<Buffer> =>
      readPlace(store, entry.place, { start, end });
    return openSegment({ length: entry.place.length, read });
  };
  let at = 0;
  for await (const source of readAhead(toReads(entries, open), PLAN_AHEAD)) {
    const entry = entries[at++];
    if (entry === undefined) break;
    for (let n = first.n + blocks.length; n < entry.n; n++) {
      tables.addHole();
      blocks.push({ entry: undefined, isInBand: false });
    }
    // Equal hashes mean equal parameter sets.
    const sets = knownSets.get(entry.codecHash) ?? readSets(source);
    knownSets.set(entry.codecHash, sets);
    blocks.push({ entry, isInBand: tables.addSegment({ ...source, sets: await sets }) });
  }
  const layout = layOutMp4(tables.toMovie(segmentStartMs(first.n, originMs)));
  return new RecordingMp4({ layout, blocks, hash: hashOf(entries), store });
}

function* toReads<T>(
  entries: readonly Placed[],
  read: (entry: Placed) => Promise<T>,
): Generator<() => Promise<T>> {
  for (const entry of entries) yield () => read(entry);
}

async function readSets(source: SegmentSource): Promise<ParameterSets | undefined> {
  if (source.pictures.length === 0) return undefined;
  const { pictures } = await source.read({
    pictures: { from: 0, to: 1 },
    frames: { from: 0, to: 0 },
  });
  const { sps, pps } = findParameterSets(pictures[0] ?? new Uint8Array());
  // Copies: a view would hold the segment's bytes for as long as the plan lives.
  const copy = (set: Uint8Array): Uint8Array => Uint8Array.from(set);
  return { sps: sps.map(copy), pps: pps.map(copy) };
}

function hashOf(entries: readonly Placed[]): string {
  const hash = createHash('sha256').update(`${LAYOUT_VERSION}`);
  for (const { n, place } of entries) {
    hash.update(`\n${n} ${place.object} ${place.offset} ${place.length}`);
  }
  return hash.digest('base64url').slice(0, 27);
}
