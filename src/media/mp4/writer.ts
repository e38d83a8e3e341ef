import { box, lengthOf, UINT32_MAX, type Piece } from './box.ts';
import { ftyp, mdatHeader, moov } from './header.ts';
import type { Column, Mp4Movie } from './movie.ts';
import type { Chunks } from './sample-tables.ts';

/** Where everything of a fast-start MP4 lies, known before any media byte is at hand. */
export type Mp4Layout = {
  /** All bytes before the media data: `ftyp`, `moov`, the head of `mdat`. */
  readonly header: readonly Piece[];
  readonly headerBytes: number;
  /** Where each block begins, bytes from the file's start, and behind the last one its end: the file's length. */
  readonly blockOffsets: Float64Array;
  readonly length: number;
};

export type LayOutOptions = {
  /** Bytes that the header shall take, filled up by a `free` box; it must be 8 more than needed. Default: what it needs. */
  readonly headerBytes?: number | undefined;
};

/** A `free` box without content (ISO/IEC 14496-12 §8.1.2). */
const EMPTY_BOX_BYTES = 8;

/**
 * Lays out a fast-start MP4 (ISO/IEC 14496-12) from the sizes and durations of its samples: one H.264 track, unless
 * there is only sound, and one `mp4a` track, each with one exact edit, `moov` before the media data, which is the blocks in order.
 * Throws RangeError when `headerBytes` are too few.
 */
export function layOutMp4(movie: Mp4Movie, options: LayOutOptions = {}): Mp4Layout {
  const { starts, chunks } = placeBlocks(movie);
  const dataLength = starts.at(-1) ?? 0;
  const dataHeader = mdatHeader(dataLength);
  const write = (dataStart: number, wideOffsets: boolean): readonly Piece[] => [
    ...ftyp(movie.video),
    ...moov(movie, { chunks, dataStart, wideOffsets }),
  ];
  const lengthWith = (wideOffsets: boolean): number =>
    lengthOf(write(0, wideOffsets)) + dataHeader.length;
  // Judged by the longer header, so that no offset can be found too large afterwards.
  const longest = Math.max(lengthWith(true) + EMPTY_BOX_BYTES, options.headerBytes ?? 0);
  const wideOffsets = longest + dataLength > UINT32_MAX;
  const needed = lengthWith(wideOffsets);
  const headerBytes = options.headerBytes ?? needed;
  const padding = planPadding(headerBytes - needed);
  const header = [...write(headerBytes, wideOffsets), ...padding, dataHeader];
  return {
    header,
    headerBytes,
    blockOffsets: starts.map((start) => headerBytes + start),
    length: headerBytes + dataLength,
  };
}

function planPadding(bytes: number): readonly Piece[] {
  if (bytes === 0) return [];
  if (bytes >= EMPTY_BOX_BYTES) return box('free', Buffer.alloc(bytes - EMPTY_BOX_BYTES));
  throw new RangeError(`The header takes ${EMPTY_BOX_BYTES - bytes} bytes more than it may`);
}

type Place = {
  /** Where each block starts, and the end, from the first byte of media data. */
  readonly starts: Float64Array;
  readonly chunks: { readonly video: Chunks; readonly audio: Chunks };
};

function placeBlocks({ blocks, video, audio }: Mp4Movie): Place {
  const count = blocks.frames.length;
  const starts = new Float64Array(count + 1);
  const pictures = new ChunkPlanner(video?.sizes ?? []);
  const frames = new ChunkPlanner(audio?.sizes ?? []);
  let at = 0;
  for (let block = 0; block < count; block++) {
    starts[block] = at;
    at += pictures.add(at, blocks.pictures[block] ?? 0);
    at += frames.add(at, blocks.frames[block] ?? 0);
  }
  starts[count] = at;
  return { starts, chunks: { video: pictures.chunks, audio: frames.chunks } };
}

/** Gathers one track's chunks. */
class ChunkPlanner {
  readonly #sizes: Column;
  readonly #counts: number[] = [];
  readonly #offsets: number[] = [];
  #next = 0;

  constructor(sizes: Column) {
    this.#sizes = sizes;
  }

  /** Puts the next `count` samples at an offset; returns their bytes. */
  add(offset: number, count: number): number {
    if (count === 0) return 0;
    this.#counts.push(count);
    this.#offsets.push(offset);
    let bytes = 0;
    for (const end = this.#next + count; this.#next < end; this.#next++) {
      bytes += this.#sizes[this.#next] ?? 0;
    }
    return bytes;
  }

  get chunks(): Chunks {
    return { counts: this.#counts, offsets: this.#offsets };
  }
}
