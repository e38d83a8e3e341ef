import path from 'node:path';
import { SEGMENT_MS } from '../../model/grid.ts';
import { writeMediaPlaylist, type ByteRange, type PlaylistSegment } from '../../media/playlist.ts';
import type { JoinBlock } from './join-block.ts';

const BITS_PER_BYTE = 8;
const MS_PER_S = 1000;

/** The lines of a media playlist over byte ranges of one file, as they come. */
export class HlsLines {
  readonly #uri: string;
  readonly #startMs: number;
  readonly #lines: PlaylistSegment[] = [];
  #mediaMs = 0;
  #bytes = 0;
  /** Bits per second of the dearest segment. */
  #peak = 0;

  /** `startMs` is the recording's first segment's, Unix ms. */
  constructor(uri: string, startMs: number) {
    this.#uri = uri;
    this.#startMs = startMs;
  }

  /** A segment of some blocks, whose bytes these are. */
  add(blocks: readonly JoinBlock[], byteRange: ByteRange): void {
    const durationMs = blocks.length * SEGMENT_MS;
    const startMs = this.#startMs + (blocks[0]?.index ?? 0) * SEGMENT_MS;
    this.#lines.push({ uri: this.#uri, startMs, durationMs, byteRange });
    this.#mediaMs += durationMs;
    this.#bytes += byteRange.length;
    this.#peak = Math.max(this.#peak, bitrate(byteRange.length, durationMs));
  }

  /** A segment of the grid that is not there. */
  addGap({ index }: JoinBlock): void {
    const startMs = this.#startMs + index * SEGMENT_MS;
    this.#lines.push({
      uri: `gap-${index}${path.extname(this.#uri)}`,
      startMs,
      durationMs: SEGMENT_MS,
      gap: true,
    });
  }

  get rates(): { readonly peak: number; readonly mean: number } {
    return { peak: this.#peak, mean: bitrate(this.#bytes, this.#mediaMs) };
  }

  /** The whole playlist; `mapBytes` is the init segment at the file's start, where there is one. */
  toText(mapBytes?: number): string {
    const map =
      mapBytes === undefined
        ? {}
        : { map: { uri: this.#uri, byteRange: { offset: 0, length: mapBytes } } };
    const segments = this.#lines;
    return writeMediaPlaylist({ mediaSequence: 0, type: 'VOD', ended: true, ...map, segments });
  }
}

function bitrate(bytes: number, ms: number): number {
  return ms === 0 ? 0 : (bytes * BITS_PER_BYTE * MS_PER_S) / ms;
}
